package guest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"

	"minato/testbench/env"
)

// Config describes a guest.
type Config struct {
	Image  *Image       // of Build; or any kernel and initramfs, for a system on Drive that starts ControlFile
	Serial []string     // unix sockets, or ttys below /dev, at most two; the n-th (from 0) is the guest's TTY(n). qemu dials sockets again when they close
	Memory int          // MiB; 0: 256
	Logger *slog.Logger // of the console, at debug; nil: silent

	Drive   string    // the guest's /dev/vda, as qemu names a file: a path, or Disk.Drive; "": none
	Append  string    // to the kernel's command line
	Forward []Forward // TCP ports of this machine that lead to the guest's; it is 10.0.2.15 on eth0, and gets nowhere else
}

// Forward is a port of this machine that leads to one of the guest's.
type Forward struct {
	Host  netip.AddrPort
	Guest uint16
}

// Guest is a running guest. It may be used by several goroutines.
type Guest struct {
	log     *slog.Logger
	machine *machine
	cmd     *exec.Cmd
	control *control
	console *console
	done    chan struct{} // closed when qemu has ended and err is set
	err     error
	close   sync.Once
}

// Start boots a guest and returns when it takes commands: after some seconds on an idle machine, whose end ctx is the limit of. The guest
// runs until Close, whatever becomes of ctx.
func Start(ctx context.Context, cfg Config) (*Guest, error) {
	if err := cfg.validate(); err != nil {
		return nil, fmt.Errorf("starting the guest: %w", err)
	}
	m, err := machineOf(cfg.Image.Arch)
	if err != nil {
		return nil, fmt.Errorf("starting the guest: %w", err)
	}
	program, err := env.Tool(m.qemu, m.pkg)
	if err != nil {
		return nil, err
	}
	g := &Guest{log: cfg.Logger, machine: m, done: make(chan struct{}), console: &console{log: cfg.Logger}}
	if err := g.start(program, m.commandLine(cfg)); err != nil {
		return nil, fmt.Errorf("starting the guest: %w", err)
	}
	select {
	case <-g.control.ready:
		return g, nil
	case <-g.done:
		err = g.err
	case <-ctx.Done():
		err = context.Cause(ctx)
	}
	g.Close()
	return nil, fmt.Errorf("starting the guest: %w; the console's last words: %q", err, g.console.last())
}

func (c *Config) validate() error {
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Memory == 0 {
		c.Memory = 256
	}
	switch {
	case c.Image == nil:
		return errors.New("image: none given")
	case len(c.Serial) > maxSerial:
		return fmt.Errorf("serial: %d ports, want at most %d", len(c.Serial), maxSerial)
	case c.Memory < 128:
		return fmt.Errorf("memory: %d MiB, want at least 128", c.Memory)
	}
	return nil
}

func (g *Guest) start(program string, args []string) error {
	ours, theirs, err := socketPair()
	if err != nil {
		return err
	}
	defer theirs.Close()
	stdin, stdinWriter, err := os.Pipe() // nothing is ever typed: an end of file would be a break on the line
	if err != nil {
		ours.Close()
		return err
	}
	g.cmd = exec.Command(program, args...)
	g.cmd.Stdin, g.cmd.Stdout, g.cmd.Stderr = stdin, g.console, g.console
	g.cmd.ExtraFiles = []*os.File{theirs}
	started := make(chan error, 1)
	go g.run(started, stdinWriter, ours) // ends with qemu; Close waits for it
	err = <-started
	stdin.Close()
	if err != nil {
		ours.Close()
		stdinWriter.Close()
		return err
	}
	g.control = newControl(ours)
	return nil
}

// run is qemu's life.
func (g *Guest) run(started chan<- error, stdin, control io.Closer) {
	unlock := withParent(g.cmd)
	defer unlock()
	err := g.cmd.Start()
	started <- err
	if err != nil {
		return
	}
	err = g.cmd.Wait()
	control.Close()
	stdin.Close()
	g.console.flush()
	if err == nil {
		err = errors.New("the guest has switched itself off")
	}
	g.err = err
	close(g.done)
}

// TTY is the guest's name of Config.Serial[i].
func (g *Guest) TTY(i int) string { return "/dev/" + g.machine.serial[i] }

// Exec runs a shell script in the guest and gives what it wrote to standard output, and its exit status. What it wrote to standard error
// is on the console. Scripts may run side by side. When ctx ends first, the script and what it started is killed.
func (g *Guest) Exec(ctx context.Context, script string) (stdout string, exit int, err error) {
	stdout, exit, err = g.control.exec(ctx, script)
	if errors.Is(err, errControlEnded) {
		<-g.done // qemu closes its end of the control port only when it ends
		err = fmt.Errorf("%w: %w; the console's last words: %q", err, g.err, g.console.last())
	}
	if err != nil {
		return "", 0, fmt.Errorf("running a script in the guest: %w", err)
	}
	return stdout, exit, nil
}

// Done is closed when the guest has ended.
func (g *Guest) Done() <-chan struct{} { return g.done }

// Close switches the guest off and waits for its end.
func (g *Guest) Close() error {
	g.close.Do(func() {
		if err := g.cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
			g.log.Error("killing qemu failed", "error", err)
		}
	})
	<-g.done
	<-g.control.done
	return nil
}

// socketPair makes the control port's two ends, without a name in any file system.
func socketPair() (ours net.Conn, theirs *os.File, err error) {
	fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, os.NewSyscallError("socketpair", err)
	}
	theirs = os.NewFile(uintptr(fds[1]), "control port")
	f := os.NewFile(uintptr(fds[0]), "control")
	defer f.Close()
	if ours, err = net.FileConn(f); err != nil {
		theirs.Close()
		return nil, nil, err
	}
	return ours, theirs, nil
}

// console logs what the guest says, by lines, and keeps the last of them for errors.
type console struct {
	log *slog.Logger

	mu    sync.Mutex
	line  []byte
	lines []string
}

const (
	maxConsoleLine = 4096
	keepLines      = 12
)

func (c *console) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, b := range p {
		if b == '\n' || len(c.line) >= maxConsoleLine {
			c.endLine()
		}
		if b != '\n' {
			c.line = append(c.line, b)
		}
	}
	return len(p), nil
}

func (c *console) endLine() {
	text := string(bytes.TrimRight(c.line, "\r"))
	c.line = c.line[:0]
	if text == "" {
		return
	}
	c.log.Debug("console", "line", text)
	if c.lines = append(c.lines, text); len(c.lines) > keepLines {
		c.lines = c.lines[1:]
	}
}

func (c *console) flush() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.endLine()
}

func (c *console) last() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return strings.Join(c.lines, "\n")
}
