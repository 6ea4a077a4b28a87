package cli

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// patience bounds what a script waits for, on however slow a machine.
const patience = time.Minute

// running is a program that a script has started.
type running struct {
	cmd  *exec.Cmd
	said chan struct{} // closed once it has printed the text
	done chan error    // has how it ended, once

	mu  sync.Mutex
	out strings.Builder // guarded by mu: all that it printed
}

// launch starts a program. What it prints is looked through for a text, and what it prints on standard output is written to a file too.
func launch(ts *testscript.TestScript, text string, stdout io.Writer, name string, args ...string) *running {
	r := &running{cmd: exec.Command(filepath.Join(programs, name), args...), said: make(chan struct{}), done: make(chan error, 1)}
	r.cmd.Dir = ts.MkAbs(".")
	out, err := r.cmd.StdoutPipe()
	ts.Check(err)
	errOut, err := r.cmd.StderrPipe()
	ts.Check(err)
	ts.Check(r.cmd.Start())
	found := sync.OnceFunc(func() { close(r.said) })
	var reading sync.WaitGroup
	for _, from := range []struct {
		io.Reader
		to io.Writer
	}{{out, stdout}, {errOut, io.Discard}} {
		reading.Go(func() { // ends with the program
			lines := bufio.NewScanner(from)
			lines.Buffer(nil, 1<<20)
			for lines.Scan() {
				fmt.Fprintln(from.to, lines.Text())
				r.mu.Lock()
				fmt.Fprintln(&r.out, lines.Text())
				r.mu.Unlock()
				if strings.Contains(lines.Text(), text) {
					found()
				}
			}
		})
	}
	go func() { reading.Wait(); r.done <- r.cmd.Wait() }() // ends with the program
	return r
}

// await waits until the program has printed the text.
func (r *running) await() error {
	select {
	case <-r.said:
		return nil
	case err := <-r.done:
		r.done <- err
		select {
		case <-r.said: // and ended at once
			return nil
		default:
		}
		return fmt.Errorf("it ended (%v) and printed\n%s", err, r.printed())
	case <-time.After(patience):
		return fmt.Errorf("it printed\n%s", r.printed())
	}
}

func (r *running) printed() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.out.String()
}

// end sends the program a signal, such as Ctrl-C's, and gives how it ended.
func (r *running) end(by os.Signal) error {
	if err := r.cmd.Process.Signal(by); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	select {
	case err := <-r.done:
		r.done <- err
		return err
	case <-time.After(patience):
		r.cmd.Process.Kill()
		return errors.Join(fmt.Errorf("it did not end at %v", by), <-r.done)
	}
}

// start runs a program beside the script until its end, with its standard output in a file, and goes on once it has printed a text:
// start TEXT FILE PROGRAM [ARGUMENT...].
func start(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 3 {
		ts.Fatalf("usage: start TEXT FILE PROGRAM [ARGUMENT...]")
	}
	file, err := os.Create(ts.MkAbs(args[1]))
	ts.Check(err)
	r := launch(ts, args[0], file, args[2], args[3:]...)
	ts.Defer(func() { ts.Check(errors.Join(r.end(syscall.SIGINT), file.Close())) })
	if err := r.await(); err != nil {
		ts.Fatalf("waiting for %q of %s: %v", args[0], args[2], err)
	}
}

// signalled makes the command that runs a program until it has printed a text, sends it the signal, and wants it to end with status 0:
// interrupt TEXT PROGRAM [ARGUMENT...], and so hangup.
func signalled(by os.Signal) func(ts *testscript.TestScript, neg bool, args []string) {
	return func(ts *testscript.TestScript, neg bool, args []string) {
		if neg || len(args) < 2 {
			ts.Fatalf("usage: interrupt or hangup TEXT PROGRAM [ARGUMENT...]")
		}
		r := launch(ts, args[0], io.Discard, args[1], args[2:]...)
		said := r.await()
		if err := errors.Join(said, r.end(by)); err != nil {
			ts.Fatalf("waiting for %q of %s: %v", args[0], args[1], err)
		}
	}
}
