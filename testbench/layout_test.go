package testbench_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"testing"
)

// mayImport says which packages of this module a folder's packages may use, beside the folder's own. Imports point one way, so that each part
// can be read, tested and replaced alone.
var mayImport = map[string][]string{
	"targets":   nil,
	"relay":     nil,
	"agent":     {"targets", "relay/splice"},
	"emulator":  {"agent/ppp", "agent/cmux", "agent/netstack"},
	"testbench": {"agent", "emulator", "relay", "targets"},
}

func TestImportsPointOneWay(t *testing.T) {
	out, err := exec.Command("go", "list", "-f", `{{.ImportPath}}: {{join .Imports " "}}`, "minato/...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	for line := range strings.Lines(string(out)) {
		pkg, imports, _ := strings.Cut(strings.TrimSpace(line), ": ")
		pkg = strings.TrimPrefix(pkg, "minato/")
		folder, _, _ := strings.Cut(pkg, "/")
		allowed, known := mayImport[folder]
		if !known {
			t.Errorf("package %s stands outside the agreed folders", pkg)
		}
		for imported := range strings.FieldsSeq(imports) {
			imported, ours := strings.CutPrefix(imported, "minato/")
			if !ours {
				continue
			}
			if !within(imported, append(allowed, folder)) {
				t.Errorf("%s imports %s, which is not below any of %q", pkg, imported, allowed)
			}
			// A program wires its folder's package up, and package xtest holds x's fakes.
			above := strings.HasPrefix(pkg, imported+"/")
			if above && !strings.HasPrefix(pkg, folder+"/cmd/") && pkg != imported+"/"+path.Base(imported)+"test" {
				t.Errorf("%s imports its parent %s", pkg, imported)
			}
		}
	}
}

// within tells whether a package is one of the folders or stands below one.
func within(pkg string, folders []string) bool {
	for _, f := range folders {
		if pkg == f || strings.HasPrefix(pkg, f+"/") {
			return true
		}
	}
	return false
}

// TestOnePackageComment holds each package to exactly one package comment, so that go doc shows a whole text.
func TestOnePackageComment(t *testing.T) {
	comments := map[string]int{}
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() && d.Name() == "node_modules" {
			return fs.SkipDir
		}
		if d.IsDir() || filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments|parser.PackageClauseOnly)
		if err != nil {
			return err
		}
		comments[filepath.Dir(path)] += 0
		if f.Doc != nil {
			comments[filepath.Dir(path)]++
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for dir, n := range comments {
		if n != 1 {
			t.Errorf("%s has %d package comments, wanted 1", dir, n)
		}
	}
}
