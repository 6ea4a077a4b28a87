package sshd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"
	"time"

	"github.com/creack/pty"
	"github.com/gliderlabs/ssh"
	"golang.org/x/sys/unix"
)

// hangupTimeout is what a program gets to end after SIGHUP.
const hangupTimeout = 2 * time.Second

// program runs the configured shell as the user that this process is: on a PTY where the client asked for a terminal, else on pipes. It
// ends with its session.
func (c *connection) program(s ssh.Session, w *window) int {
	ctx, cancel := context.WithCancel(s.Context())
	defer cancel()
	c.open.Go(func() { // ends with the session
		select {
		case <-w.gone: // the client has closed its channel, which is more than the end of its input
			cancel()
		case <-ctx.Done():
		}
	})
	cmd := exec.CommandContext(ctx, c.server.cfg.Shell)
	if command := s.RawCommand(); command != "" {
		cmd.Args = append(cmd.Args, "-c", command)
	}
	terminal, _, isTerminal := s.Pty()
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "SHELL=" + c.server.cfg.Shell, "USER=" + s.User()}
	if home, err := os.UserHomeDir(); err == nil {
		cmd.Dir, cmd.Env = home, append(cmd.Env, "HOME="+home)
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // a group of its own, so that all of it is told when the session ends
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGHUP) }
	cmd.WaitDelay = hangupTimeout
	var err error
	if isTerminal {
		cmd.Env = append(cmd.Env, "TERM="+terminal.Term)
		err = c.onTerminal(ctx, cmd, s, w, terminal.Window)
	} else {
		err = c.onPipes(cmd, s)
	}
	var exit *exec.ExitError
	switch {
	case err == nil, errors.Is(err, exec.ErrWaitDelay): // it ended well, and left something in the background
		return statusOK
	case errors.As(err, &exit):
		if status, ok := exit.Sys().(syscall.WaitStatus); ok && status.Signaled() {
			return 128 + int(status.Signal())
		}
		return exit.ExitCode()
	}
	c.log.Warn("the shell failed", "shell", c.server.cfg.Shell, "err", err)
	fmt.Fprintf(s.Stderr(), "%s: %v\n", c.server.cfg.Shell, err)
	return statusFailed
}

func (c *connection) onTerminal(ctx context.Context, cmd *exec.Cmd, s ssh.Session, w *window, first ssh.Window) error {
	cmd.SysProcAttr.Setctty = true
	started, err := pty.StartWithAttrs(cmd, &pty.Winsize{Cols: uint16(first.Width), Rows: uint16(first.Height)}, cmd.SysProcAttr)
	if err != nil {
		return err
	}
	master, err := pollable(started)
	if err != nil {
		return errors.Join(err, cmd.Wait()) // the terminal is gone, and the shell with it
	}
	defer master.Close()
	// What the shell leaves in the background may keep the terminal open for ever; when the session has ended, nobody is there to see it.
	defer context.AfterFunc(ctx, func() { master.SetDeadline(time.Now()) })()
	w.follow(func(width, height int) {
		pty.Setsize(master, &pty.Winsize{Cols: uint16(width), Rows: uint16(height)})
	})
	defer w.follow(nil)
	c.open.Go(func() { io.Copy(master, s) }) // ends when the client has no more to say, which Exit brings about at the latest
	io.Copy(s, master)                       // until the last program has closed the terminal (EIO), or the session has ended
	return cmd.Wait()
}

// pollable is the same terminal as a file that takes deadlines: package pty leaves its own in blocking mode. It closes f.
func pollable(f *os.File) (*os.File, error) {
	defer f.Close()
	fd, err := unix.FcntlInt(f.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("copying the terminal's descriptor: %w", err)
	}
	if err := unix.SetNonblock(fd, true); err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("making the terminal pollable: %w", err)
	}
	return os.NewFile(uintptr(fd), f.Name()), nil
}

func (c *connection) onPipes(cmd *exec.Cmd, s ssh.Session) error {
	in, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	cmd.Stdout, cmd.Stderr = s, s.Stderr()
	if err := cmd.Start(); err != nil {
		return err
	}
	c.open.Go(func() { // ends when the client has no more to say, which Exit brings about at the latest
		io.Copy(in, s)
		in.Close()
	})
	return cmd.Wait()
}
