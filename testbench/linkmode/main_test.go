package linkmode

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"minato/testbench/env"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// insideVariable tells a test that it runs in namespaces of its own.
const insideVariable = "MINATO_LINKMODE_INSIDE"

// patience is how long a test waits for what should take a second: the machine may be busy.
const patience = 2 * time.Minute

// inside runs the calling test again, in a network and a mount namespace of its own, and gives true there. The test is run as root: it
// configures interfaces and mounts, and sshd logs nobody in as another user.
func inside(t *testing.T) bool {
	t.Helper()
	if os.Getenv(insideVariable) != "" {
		return true
	}
	if os.Getuid() != 0 {
		if os.Getenv("CI") == "true" {
			t.Fatal("this test needs root")
		}
		t.Skip("this test needs root, for network and mount namespaces with sshd in them")
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, self, "-test.run", "^"+t.Name()+"$", "-test.v")
	cmd.Env = append(os.Environ(), insideVariable+"=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET | syscall.CLONE_NEWNS, Pdeathsig: syscall.SIGKILL}
	out, err := cmd.CombinedOutput()
	if err != nil || testing.Verbose() {
		t.Logf("in the namespaces:\n%s", out)
	}
	if err != nil {
		t.Fatalf("in the namespaces: %v", err)
	}
	return false
}

// tool finds a program of the system. Where it is missing the test is skipped, and fails when CI=true.
func tool(t *testing.T, name, pkg string) string {
	t.Helper()
	path, err := env.Tool(name, pkg)
	var missing *env.MissingError
	if errors.As(err, &missing) && os.Getenv("CI") != "true" {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// run runs a program of the system, which must succeed, and gives what it wrote.
func run(t *testing.T, name string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	out, err := exec.CommandContext(ctx, name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}

// await waits until something holds.
func await(t *testing.T, what string, holds func() (bool, error)) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := env.Await(ctx, what, holds); err != nil {
		t.Fatal(err)
	}
}
