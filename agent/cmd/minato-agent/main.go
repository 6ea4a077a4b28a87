// Command minato-agent brings a device with a cellular modem onto its closed network and serves the listed ports there.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/signal"
	"syscall"

	"minato/agent/hostnet"
	"minato/agent/tty"
)

// Exit statuses, the same for all programs of the system.
const (
	exitCheck       = 1 // a check failed
	exitUsage       = 2 // bad usage or configuration
	exitUnreachable = 3
	exitPermission  = 4
)

func main() {
	ctx, stop := untilEnded()
	defer stop()
	os.Exit(report(os.Stderr, run(ctx, os.Args[1:], os.Stdout, os.Stderr)))
}

// untilEnded is a context that ends with Ctrl-C, SIGTERM, and the loss of the terminal, unless the program is to outlive that one (nohup).
func untilEnded() (context.Context, context.CancelFunc) {
	ends := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) {
		ends = append(ends, syscall.SIGHUP)
	}
	return signal.NotifyContext(context.Background(), ends...)
}

// usageError is bad usage or configuration; checkError is a check that failed; deniedError is what this user may not, with the cure; hintedError is
// any other with a cure.
type (
	usageError  struct{ error }
	checkError  struct{ error }
	deniedError struct{ error }
	hintedError struct {
		error
		hint string
	}
)

func (e *deniedError) Hint() string {
	return "use sudo, or be in the group minato-agent, which has to be able to read the configuration and the files that it names"
}

func (e *hintedError) Hint() string { return e.hint }

func (e *usageError) Unwrap() error  { return e.error }
func (e *hintedError) Unwrap() error { return e.error }
func (e *checkError) Unwrap() error  { return e.error }
func (e *deniedError) Unwrap() error { return e.error }

// configError tells a configuration that is wrong, and stays so, from files that cannot be read at the moment: the service manager starts the
// agent again after those. A configuration file that is not there is bad usage.
func configError(file string, err error) error {
	var unread *fs.PathError
	switch {
	case err == nil:
		return nil
	case errors.Is(err, fs.ErrPermission):
		return &deniedError{err}
	case errors.As(err, &unread) && !(unread.Path == file && errors.Is(err, fs.ErrNotExist)):
		return err
	}
	return &usageError{err}
}

// report prints an error, and what to do where that is known, and gives the exit status.
func report(w io.Writer, err error) int {
	if err == nil {
		return 0
	}
	fmt.Fprintf(w, "minato-agent: error: %v\n", err)
	var hinted interface{ Hint() string }
	if errors.As(err, &hinted) && hinted.Hint() != "" {
		fmt.Fprintf(w, "minato-agent: hint: %s\n", hinted.Hint())
	}
	var usage *usageError
	var check *checkError
	switch {
	case errors.As(err, &usage):
		return exitUsage
	case errors.As(err, &check):
		return exitCheck
	case errors.Is(err, os.ErrPermission), errors.Is(err, tty.ErrPermission), errors.Is(err, hostnet.ErrInUse):
		return exitPermission
	}
	return exitUnreachable
}
