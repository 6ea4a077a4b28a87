//go:build pi

package pi

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"minato/testbench/env"
	"minato/testbench/guest"
)

// system is a computer's disk, and what starts it: Debian's kernel and initramfs.
type system struct {
	disk  string
	start *guest.Image
}

// makeSystem makes a Debian system that has these packages in /root.
func makeSystem(t *testing.T, packages ...string) system {
	t.Helper()
	base, disk := baseSystem(t), filepath.Join(t.TempDir(), "disk")
	run(t, exec.Command("cp", "--sparse=always", filepath.Join(base, "disk"), disk))
	commands := "cd /root\n"
	for _, p := range packages {
		commands += fmt.Sprintf("write %s %s\n", p, filepath.Base(p))
	}
	debugfs := exec.Command(tool(t, "debugfs", "e2fsprogs"), "-w", "-f", "-", disk)
	debugfs.Stdin = strings.NewReader(commands)
	run(t, debugfs)
	return system{disk, &guest.Image{Arch: "arm64", Kernel: filepath.Join(base, "vmlinuz"), Initrd: filepath.Join(base, "initrd")}}
}

// baseSystem makes the system as it comes from Debian, or finds the one that was made of the same packages. It gives its directory.
func baseSystem(t *testing.T) string {
	t.Helper()
	for _, needs := range [][2]string{{"mmdebstrap", "mmdebstrap"}, {"qemu-aarch64-static", "qemu-user-static"}, {"mke2fs", "e2fsprogs"}} {
		tool(t, needs[0], needs[1])
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	cache = filepath.Join(cache, "minato", "pi")
	if err := os.MkdirAll(cache, 0o755); err != nil {
		t.Fatal(err)
	}
	control := t.TempDir()
	if err := guest.WriteControl(control); err != nil {
		t.Fatal(err)
	}
	return run(t, inUserNamespace(t, "./root.sh", cache, control))
}

// inUserNamespace prepares a command that is root of a user namespace with a system's 65536 users. Root gives it those of this machine, another user
// those that /etc/subuid has for him.
func inUserNamespace(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	if os.Getuid() != 0 {
		tool(t, "newuidmap", "uidmap")
		args = append([]string{tool(t, "unshare", "util-linux"), "--user", "--mount", "--map-root-user", "--map-auto"}, args...)
		return exec.Command(args[0], args[1:]...)
	}
	cmd := exec.Command(args[0], args[1:]...)
	all := []syscall.SysProcIDMap{{Size: 1 << 16}}
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS, UidMappings: all, GidMappings: all, GidMappingsEnableSetgroups: true,
	}
	return cmd
}

// buildPackage makes the agent's Debian package for arm64 from the source.
func buildPackage(t *testing.T, version string) string {
	t.Helper()
	root, err := env.Root()
	if err != nil {
		t.Fatal(err)
	}
	out := t.TempDir()
	program := filepath.Join(out, "minato-agent")
	build := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", program, "minato/agent/cmd/minato-agent")
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH=arm64")
	run(t, build)
	deb := exec.Command("testbench/deb.sh", "agent", "arm64", program, out)
	deb.Dir = root
	deb.Env = append(os.Environ(), "VERSION="+version)
	return run(t, deb)
}

// run runs a command that must succeed, and gives what it printed.
func run(t *testing.T, cmd *exec.Cmd) string {
	t.Helper()
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%q: %v", cmd.Args, err)
	}
	return strings.TrimSpace(string(out))
}

// tool finds a program that must be there.
func tool(t *testing.T, program, debianPackage string) string {
	t.Helper()
	path, err := env.Tool(program, debianPackage)
	if err != nil {
		t.Fatal(err)
	}
	return path
}
