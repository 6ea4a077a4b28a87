package testbench_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"minato/testbench/env"
)

// What each package installs, as dpkg-deb --contents lists it, without directories.
var packageFiles = map[string]string{
	"agent": `
-rw-r--r-- root/root ./etc/minato/agent.yaml
-rwxr-xr-x root/root ./usr/bin/minato-agent
-rw-r--r-- root/root ./usr/lib/systemd/system/minato-agent.service
-rw-r--r-- root/root ./usr/lib/sysusers.d/minato-agent.conf
-rw-r--r-- root/root ./usr/lib/udev/rules.d/70-minato-agent.rules
-rw-r--r-- root/root ./usr/share/doc/minato-agent/README.Debian
-rw-r--r-- root/root ./usr/share/doc/minato-agent/changelog.gz
-rw-r--r-- root/root ./usr/share/doc/minato-agent/copyright
-rw-r--r-- root/root ./usr/share/doc/minato-agent/examples/host.conf
-rw-r--r-- root/root ./usr/share/doc/minato-agent/examples/tun.conf
-rw-r--r-- root/root ./usr/share/doc/minato-agent/reference.yaml
-rw-r--r-- root/root ./usr/share/lintian/overrides/minato-agent
`,
	"relay": `
-rw-r--r-- root/root ./etc/minato/relay.yaml
-rw-r--r-- root/root ./etc/minato/sims.yaml
-rwxr-xr-x root/root ./usr/bin/minato-relay
-rw-r--r-- root/root ./usr/lib/systemd/system/minato-relay.service
-rw-r--r-- root/root ./usr/lib/sysusers.d/minato-relay.conf
-rw-r--r-- root/root ./usr/share/doc/minato-relay/README.Debian
-rw-r--r-- root/root ./usr/share/doc/minato-relay/changelog.gz
-rw-r--r-- root/root ./usr/share/doc/minato-relay/copyright
-rw-r--r-- root/root ./usr/share/doc/minato-relay/reference.yaml
-rw-r--r-- root/root ./usr/share/lintian/overrides/minato-relay
`,
	"testbench": `
-rwxr-xr-x root/root ./usr/bin/minato-testbench
-rw-r--r-- root/root ./usr/share/doc/minato-testbench/changelog.gz
-rw-r--r-- root/root ./usr/share/doc/minato-testbench/copyright
-rw-r--r-- root/root ./usr/share/lintian/overrides/minato-testbench
`,
}

// TestDebContents: a package is the same each time it is made, holds what it should, says so, and lintian has nothing to say.
func TestDebContents(t *testing.T) {
	for _, folder := range []string{"agent", "relay", "testbench"} {
		t.Run(folder, func(t *testing.T) {
			t.Parallel()
			deb := buildDeb(t, folder, "1.2")
			again, first := readFile(t, buildDeb(t, folder, "1.2")), readFile(t, deb)
			if !bytes.Equal(first, again) {
				t.Error("made twice, it is not the same")
			}
			var files strings.Builder
			for line := range strings.Lines(tool(t, "dpkg-deb", "dpkg", "--contents", deb)) {
				if f := strings.Fields(line); !strings.HasPrefix(line, "d") { // mode, owner, size, date, time, name
					fmt.Fprintln(&files, f[0], f[1], f[5])
				}
			}
			if diff := cmp.Diff(strings.TrimLeft(packageFiles[folder], "\n"), files.String()); diff != "" {
				t.Errorf("files (-want +got):\n%s", diff)
			}
			want := fmt.Sprintf("Package: minato-%s\nVersion: 1.2\nArchitecture: amd64\n", folder)
			if got := tool(t, "dpkg-deb", "dpkg", "--field", deb, "Package", "Version", "Architecture"); got != want {
				t.Errorf("control fields: %q, want %q", got, want)
			}
			// The stand-in for the program is no static binary.
			out := tool(t, "lintian", "lintian", "--allow-root", "--fail-on", "none", "--suppress-tags", "mismatched-override", deb)
			if out != "" {
				t.Errorf("lintian says:\n%s", out)
			}
		})
	}
}

// TestUnits: systemd understands every line of the units, and finds little that a service which was taken over could do.
func TestUnits(t *testing.T) {
	for _, folder := range []string{"agent", "relay"} {
		t.Run(folder, func(t *testing.T) {
			t.Parallel()
			name := "minato-" + folder
			text := string(readFile(t, filepath.Join("..", folder, "packaging/root/usr/lib/systemd/system", name+".service")))
			// Go's own exit status after a panic, or the watchdog's SIGABRT, is 2 as well: without this such a service would stay down.
			if strings.Contains(text, "\nRestartPreventExitStatus=2\n") && !strings.Contains(text, "\nEnvironment=GOTRACEBACK=crash\n") {
				t.Error("a program that failed is taken for one with a bad configuration")
			}
			here := filepath.Join(t.TempDir(), name+".service")
			text = strings.ReplaceAll(text, "/usr/bin/"+name+" ", program(t)+" ") // verify wants it to be there
			if err := os.WriteFile(here, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
			if out := tool(t, "systemd-analyze", "systemd", "verify", "--man=no", here); out != "" {
				t.Errorf("systemd-analyze verify: %s", out)
			}
			tool(t, "systemd-analyze", "systemd", "security", "--offline=true", "--no-pager", "--threshold=20", here) // of 100; fails beyond
		})
	}
}

// TestDebLife: install, upgrade, remove and purge, of both services on one system.
func TestDebLife(t *testing.T) {
	s := newSystem(t)
	v1 := []string{buildDeb(t, "agent", "1"), buildDeb(t, "relay", "1")}
	s.dpkg(append([]string{"--install"}, v1...)...)
	s.want("the users", "etc/passwd", "minato-agent:x:", "minato-relay:x:")
	s.want("the modem's group", "etc/group", "dialout:x:20:minato-agent")
	s.wantFiles(true, "etc/systemd/system/multi-user.target.wants/minato-agent.service", "etc/systemd/system/multi-user.target.wants/minato-relay.service")
	if got, want := s.stat("etc/minato/agent.yaml"), "640 0 "+s.gid("minato-agent"); got != want {
		t.Errorf("agent.yaml has mode, owner and group %s, want %s", got, want)
	}

	// What a user does, and a service.
	s.write("etc/minato/agent.yaml", "# mine\n")
	s.write("var/lib/minato-agent/state.json", "{}")
	s.write("var/lib/minato-relay/store/x", "{}")
	s.run("chmod", "coreutils", "0600", s.path("etc/minato/agent.yaml"))
	if err := os.Remove(s.path("etc/systemd/system/multi-user.target.wants/minato-relay.service")); err != nil { // systemctl disable
		t.Fatal(err)
	}

	s.dpkg("--install", buildDeb(t, "agent", "2"), buildDeb(t, "relay", "2"))
	s.want("the user's configuration", "etc/minato/agent.yaml", "# mine")
	if got, want := s.stat("etc/minato/agent.yaml"), "600 0 "+s.gid("minato-agent"); got != want {
		t.Errorf("after the upgrade agent.yaml has mode, owner and group %s, want %s", got, want)
	}
	s.wantFiles(true, "var/lib/minato-agent/state.json", "var/lib/minato-relay/store/x", "etc/systemd/system/multi-user.target.wants/minato-agent.service")
	s.wantFiles(false, "etc/systemd/system/multi-user.target.wants/minato-relay.service")

	s.dpkg("--remove", "minato-agent", "minato-relay")
	s.wantFiles(false, "usr/bin/minato-agent", "usr/bin/minato-relay", "usr/lib/systemd/system/minato-agent.service")
	s.wantFiles(true, "etc/minato/agent.yaml", "var/lib/minato-agent/state.json", "var/lib/minato-relay/store/x")

	s.dpkg("--purge", "minato-agent")
	s.wantFiles(false, "etc/minato/agent.yaml", "var/lib/minato-agent", "etc/systemd/system/minato-agent.service",
		"etc/systemd/system/multi-user.target.wants/minato-agent.service")
	s.wantFiles(true, "etc/minato/relay.yaml", "etc/minato/sims.yaml", "var/lib/minato-relay/store/x")
	s.dpkg("--purge", "minato-relay")
	s.wantFiles(false, "etc/minato", "var/lib/minato-relay", "etc/systemd/system/minato-relay.service")
}

// buildDeb makes a package around a stand-in for its program, and gives its path.
func buildDeb(t *testing.T, folder, version string) string {
	t.Helper()
	out := t.TempDir()
	cmd := exec.CommandContext(t.Context(), "testbench/deb.sh", folder, "amd64", program(t), out)
	cmd.Dir = ".."
	cmd.Env = append(os.Environ(), "VERSION="+version, "SOURCE_DATE_EPOCH=1760000000", "DPKG_DEB_COMPRESSOR_TYPE=gzip")
	requireTool(t, "dpkg-deb", "dpkg")
	if b, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, b)
	}
	return filepath.Join(out, "minato-"+folder+"_"+version+"_amd64.deb")
}

// program is a stand-in for any of the programs.
func program(t *testing.T) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "program")
	if err := os.WriteFile(name, []byte("#!/bin/sh\nexit 1\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	return name
}

func readFile(t *testing.T, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// requireTool finds a program. Where it is not installed the test is skipped, and fails when CI=true.
func requireTool(t *testing.T, name, debianPackage string) string {
	t.Helper()
	path, err := env.Tool(name, debianPackage)
	var missing *env.MissingError
	switch {
	case errors.As(err, &missing) && os.Getenv("CI") != "true":
		t.Skip(err)
	case err != nil:
		t.Fatal(err)
	}
	return path
}

// tool runs a program that must succeed, and gives what it printed.
func tool(t *testing.T, name, debianPackage string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), requireTool(t, name, debianPackage), args...)
	cmd.Env = append(os.Environ(), "LC_ALL=C")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %q: %v: %s", name, args, err, out)
	}
	return string(out)
}

// system is a root directory with dpkg's database in it, and a record of who owns its files, since tests need not be root. Maintainer scripts
// run with DPKG_ROOT, not in a chroot: what they want of a running systemd, make pi shows.
type system struct {
	*testing.T
	root, owners string
}

func newSystem(t *testing.T) *system {
	t.Helper()
	s := &system{t, t.TempDir(), filepath.Join(t.TempDir(), "owners")}
	status := ""
	for _, p := range []string{"init-system-helpers 1.65", "systemd 252", "udev 252"} {
		name, version, _ := strings.Cut(p, " ")
		status += fmt.Sprintf("Package: %s\nStatus: install ok installed\nMaintainer: none\nArchitecture: amd64\nVersion: %s\nDescription: stand-in\n\n", name, version)
	}
	s.write("var/lib/dpkg/status", status)
	s.write("var/lib/dpkg/info/format", "1\n")
	s.write("etc/passwd", "root:x:0:0:root:/root:/bin/sh\n")
	s.write("etc/group", "root:x:0:\ndialout:x:20:\n")
	s.write("etc/shadow", "root:*:20000:0:99999:7:::\n")
	s.write("etc/gshadow", "root:*::\ndialout:*::\n")
	if err := errors.Join(os.WriteFile(s.owners, nil, 0o600), os.MkdirAll(s.path("var/lib/dpkg/updates"), 0o755)); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *system) path(name string) string { return filepath.Join(s.root, name) }

// run runs a program as a root of its own making.
func (s *system) run(name, debianPackage string, args ...string) string {
	s.Helper()
	return tool(s.T, "fakeroot", "fakeroot", append([]string{"-i", s.owners, "-s", s.owners, requireTool(s.T, name, debianPackage)}, args...)...)
}

func (s *system) dpkg(args ...string) {
	s.Helper()
	s.Log(s.run("dpkg", "dpkg", append([]string{"--root=" + s.root, "--log=/dev/null", "--force-script-chrootless", "--force-not-root"}, args...)...))
}

func (s *system) write(name, text string) {
	s.Helper()
	if err := errors.Join(os.MkdirAll(filepath.Dir(s.path(name)), 0o755), os.WriteFile(s.path(name), []byte(text), 0o644)); err != nil {
		s.Fatal(err)
	}
}

func (s *system) want(what, name string, texts ...string) {
	s.Helper()
	have := string(readFile(s.T, s.path(name)))
	for _, text := range texts {
		if !strings.Contains(have, text) {
			s.Errorf("%s: /%s has no %q in\n%s", what, name, text, have)
		}
	}
}

func (s *system) wantFiles(there bool, names ...string) {
	s.Helper()
	for _, name := range names {
		if _, err := os.Lstat(s.path(name)); (err == nil) != there {
			s.Errorf("/%s: %v; it must be there: %t", name, err, there)
		}
	}
}

// stat gives mode, owner and group.
func (s *system) stat(name string) string {
	s.Helper()
	return strings.TrimSpace(s.run("stat", "coreutils", "-c", "%a %u %g", s.path(name)))
}

func (s *system) gid(group string) string {
	s.Helper()
	for line := range strings.Lines(string(readFile(s.T, s.path("etc/group")))) {
		if f := strings.Split(line, ":"); f[0] == group {
			return f[2]
		}
	}
	s.Fatalf("there is no group %s", group)
	return ""
}
