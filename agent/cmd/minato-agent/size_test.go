package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// maxSize keeps the agent small enough for the devices that it is for, in octets, stripped.
const maxSize = 14_000_000

// kept out: each makes the linker keep far more than it is worth here (kong and the templates: every exported method).
var keptOut = []string{"text/template", "html/template", "github.com/alecthomas/kong", "github.com/gopacket/gopacket", "github.com/prometheus/client_golang"}

func TestSize(t *testing.T) {
	out := filepath.Join(t.TempDir(), "minato-agent")
	build := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", out, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH=arm", "GOARM=6")
	if b, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, b)
	}
	fi, err := os.Stat(out)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d octets", fi.Size())
	if fi.Size() > maxSize {
		t.Errorf("%d octets, at most %d are allowed", fi.Size(), maxSize)
	}
	deps, err := exec.CommandContext(t.Context(), "go", "list", "-deps", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	for dep := range strings.Lines(string(deps)) {
		for _, bad := range keptOut {
			if dep = strings.TrimSpace(dep); dep == bad || strings.HasPrefix(dep, bad+"/") {
				t.Errorf("imports %s", dep)
			}
		}
	}
}
