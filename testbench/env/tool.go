package env

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// MissingError says that a program which a scenario needs is not on this machine. It fails the scenario when CI=true, and skips it elsewhere.
type MissingError struct{ Program, Cure string }

func (m *MissingError) Error() string { return m.Program + " is not installed: " + m.Cure }

// Tool finds a program that nobody here wrote.
func Tool(program, debianPackage string) (string, error) {
	path, err := exec.LookPath(program)
	if err != nil {
		// Debian keeps daemons where a user's PATH does not look.
		if path, err = exec.LookPath(filepath.Join("/usr/sbin", program)); err != nil {
			return "", &MissingError{program, "make setup, or apt-get install " + debianPackage}
		}
	}
	return path, nil
}

// Program is the path of one of our own programs, built by make build.
func (e *Env) Program(name string) (string, error) {
	dir := e.Bin
	if dir == "" {
		root, err := Root()
		if err != nil {
			return "", err
		}
		dir = filepath.Join(root, "bin")
	}
	path := filepath.Join(dir, name)
	if _, err := os.Stat(path); err != nil {
		return "", &MissingError{path, "make build arm"}
	}
	return path, nil
}

// Root is the repository that this process was started in; where it was not, as by who installed a package, that is a MissingError.
func Root() (string, error) {
	dir, err := os.Getwd()
	for err == nil {
		if b, readErr := os.ReadFile(filepath.Join(dir, "go.mod")); readErr == nil && strings.HasPrefix(string(b), "module minato\n") {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", &MissingError{"Minato's source tree", "start in it: what this needs is in its bin or its README.md"}
		}
		dir = parent
	}
	return "", fmt.Errorf("looking for Minato's source tree: %w", err)
}

// Command prepares a program of the story. Its standard error goes line by line into the scenario's log. It is asked to end when ctx does.
func (e *Env) Command(ctx context.Context, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = e.Dir
	cmd.Stderr = &lineLogger{log: func(line string) { e.log.Info(line, "program", filepath.Base(name)) }}
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = StopTimeout
	e.log.Info("command", "argv", strings.Join(append([]string{filepath.Base(name)}, args...), " "))
	return cmd
}

// startProgram starts a program as a part of the environment, which must run until the environment ends.
func (e *Env) startProgram(cmd func(ctx context.Context) *exec.Cmd) error {
	ctx, cancel := context.WithCancel(context.WithoutCancel(e.ctx))
	c := cmd(ctx)
	name := filepath.Base(c.Path)
	if err := c.Start(); err != nil {
		cancel()
		return fmt.Errorf("starting %s: %w", name, err)
	}
	done := make(chan struct{})
	var ended error
	go func() {
		defer close(done)
		ended = c.Wait()
		if ctx.Err() == nil {
			e.cancel(fmt.Errorf("%s ended by itself: %v", name, c.ProcessState))
		}
	}()
	e.stops = append(e.stops, func() error {
		asked := time.Now()
		cancel()
		<-done // WaitDelay bounds it
		if took := time.Since(asked); took >= StopTimeout {
			return fmt.Errorf("%s did not end within %s", name, StopTimeout)
		}
		var exit *exec.ExitError
		if errors.As(ended, &exit) && !errors.Is(ended, context.Canceled) {
			return fmt.Errorf("%s: %w", name, ended)
		}
		return nil
	})
	return nil
}

// lineLogger is a writer that logs whole lines.
type lineLogger struct {
	log  func(line string)
	rest []byte
}

func (l *lineLogger) Write(p []byte) (int, error) {
	l.rest = append(l.rest, p...)
	for {
		line, rest, ok := strings.Cut(string(l.rest), "\n")
		if !ok {
			break
		}
		l.log(strings.TrimRight(line, "\r"))
		l.rest = []byte(rest)
	}
	if len(l.rest) > 16<<10 { // a program that never ends its line
		l.log(string(l.rest))
		l.rest = nil
	}
	return len(p), nil
}
