package cli

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"minato/testbench/env"
)

// programs is the folder of the programs, as make build leaves them.
var programs string

func TestMain(m *testing.M) {
	root, err := env.Root()
	if err == nil {
		programs = filepath.Join(root, "bin")
		_, err = os.Stat(filepath.Join(programs, "minato-testbench"))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "the programs are not built: make build:", err)
		os.Exit(1)
	}
	signal.Notify(make(chan os.Signal, 1), syscall.SIGHUP) // the programs are started as from a terminal, also where this test is run with nohup
	os.Exit(m.Run())
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata",
		Setup: func(e *testscript.Env) error {
			e.Setenv("PATH", programs+string(os.PathListSeparator)+e.Getenv("PATH"))
			for n := 1; n <= 4; n++ {
				address, err := env.FreePort()
				if err != nil {
					return err
				}
				_, port, _ := net.SplitHostPort(address)
				e.Setenv(fmt.Sprintf("PORT%d", n), port)
			}
			return nil
		},
		Condition: func(name string) (bool, error) {
			if name != "privileged-ports" {
				return false, fmt.Errorf("condition %q", name)
			}
			first, err := os.ReadFile("/proc/sys/net/ipv4/ip_unprivileged_port_start")
			return strings.TrimSpace(string(first)) != "0", err // in some containers there are none
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"exits":     exits,
			"powerless": powerless,
			"start":     start,
			"interrupt": signalled(syscall.SIGINT),
			"hangup":    signalled(syscall.SIGHUP),
			"envsubst":  envsubst,
		},
	})
}

// exits runs a program and wants its exit status: exits 2 minato-relay run. What it printed is in stdout and stderr.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits STATUS PROGRAM [ARGUMENT...]")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	var exit *exec.ExitError
	if err := ts.Exec(args[1], args[2:]...); errors.As(err, &exit) {
		got = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if got != want {
		ts.Fatalf("%s ended with status %d, wanted %d", strings.Join(args[1:], " "), got, want)
	}
}

// powerless is exits without any capability: nobody, root neither, may then open what its owner has closed.
func powerless(ts *testscript.TestScript, neg bool, args []string) {
	if os.Geteuid() == 0 && len(args) > 1 {
		args = append([]string{args[0], "setpriv", "--bounding-set", "-all", "--inh-caps", "-all"}, args[1:]...)
	}
	exits(ts, neg, args)
}

// envsubst puts the variables PORT1 to PORT4 into a file.
func envsubst(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: envsubst FILE")
	}
	text := os.Expand(ts.ReadFile(args[0]), ts.Getenv)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(text), 0o644))
}
