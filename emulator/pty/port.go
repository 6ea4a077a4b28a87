// Package pty makes the ports of an emulated modem: pseudo-terminals with stable names, and unix sockets.
//
// A PTY carries bytes and the line speed, but none of the modem lines (TIOCMGET is ENOTTY). What is left of DTR is the moment at
// which the last user closes the device: the master then reads EIO, and Read reports it once as ErrHangup.
package pty

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"
)

// ErrHangup is what Read returns once when the last user of the device has closed it: DTR fell.
var ErrHangup = errors.New("the last user closed the port")

// Port is the modem's side of a pseudo-terminal. One goroutine reads; any may write, set deadlines and close.
type Port struct {
	link string // the stable name

	mu      sync.Mutex
	master  *os.File // guarded by mu; replaced only by replace
	hold    *os.File // guarded by mu; see hangUp
	closed  bool     // guarded by mu
	readDL  time.Time
	writeDL time.Time
}

// Open makes a pseudo-terminal in raw mode and the symbolic link to its device at link, whose directory must exist.
// A link that is there already is replaced in one step.
func Open(link string) (*Port, error) {
	master, slave, err := openPair()
	if err != nil {
		return nil, err
	}
	if err := symlink(slave.Name(), link); err != nil {
		return nil, errors.Join(err, master.Close(), slave.Close())
	}
	// The slave stays open until the first byte comes, as after a hang-up: a user that only looks is no DTR edge.
	return &Port{link: link, master: master, hold: slave}, nil
}

// openPair gives a raw master and slave. Raw from the start: the first user may write before it sets its own mode.
func openPair() (master, slave *os.File, err error) {
	master, slave, err = pty.Open()
	if err != nil {
		return nil, nil, fmt.Errorf("opening a pseudo-terminal: %w", err)
	}
	master, err = pollable(master)
	if err == nil {
		err = makeRaw(slave)
	}
	if err != nil {
		return nil, nil, errors.Join(err, master.Close(), slave.Close())
	}
	return master, slave, nil
}

// pollable gives the master back as a file of the runtime's poller, so that deadlines and Close interrupt Read and Write.
// The original is closed.
func pollable(f *os.File) (*os.File, error) {
	fd, err := unix.FcntlInt(f.Fd(), unix.F_DUPFD_CLOEXEC, 3)
	if err != nil {
		return f, fmt.Errorf("duplicating a pseudo-terminal: %w", err)
	}
	if err := unix.SetNonblock(fd, true); err != nil {
		return f, errors.Join(fmt.Errorf("making a pseudo-terminal non-blocking: %w", err), unix.Close(fd))
	}
	name := f.Name()
	if err := f.Close(); err != nil {
		return f, errors.Join(err, unix.Close(fd))
	}
	return os.NewFile(uintptr(fd), name), nil
}

// Name is the stable name of the device, a symbolic link.
func (p *Port) Name() string { return p.link }

func (p *Port) current() *os.File {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.master
}

// Read returns what the user wrote, ErrHangup when the last user closed, os.ErrDeadlineExceeded or os.ErrClosed. It takes what one read(2)
// brings, 4095 octets as a rule: while they are handled, the kernel moves the next ones up, and a reader that comes back sooner waits for that.
func (p *Port) Read(b []byte) (int, error) {
	n, err := p.current().Read(b)
	if n > 0 {
		p.release()
		return n, nil
	}
	if errors.Is(err, syscall.EIO) {
		if err = p.hangUp(); err == nil {
			err = ErrHangup
		}
	}
	return 0, err
}

// Write blocks while the user does not read: some 20 KiB are kept by the kernel.
func (p *Port) Write(b []byte) (int, error) {
	return p.current().Write(b)
}

// TryWrite writes what goes at once and never blocks.
func (p *Port) TryWrite(b []byte) (int, error) {
	return tryWrite(p.current(), b)
}

// Discard throws away what the user has written and nobody has read, at most most bytes.
func (p *Port) Discard(most int) {
	master := p.current()
	master.SetReadDeadline(time.Time{}) // a deadline in the past would refuse the attempt
	tryDiscard(master, most)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.master.SetReadDeadline(p.readDL)
}

// SetReadDeadline and SetWriteDeadline are those of os.File.
func (p *Port) SetReadDeadline(t time.Time) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.readDL = t
	return p.master.SetReadDeadline(t)
}

// SetWriteDeadline interrupts a blocked Write at t.
func (p *Port) SetWriteDeadline(t time.Time) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.writeDL = t
	return p.master.SetWriteDeadline(t)
}

// Close ends the device, as pulling the USB plug does, and removes the stable name if it is still ours.
func (p *Port) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil
	}
	p.closed = true
	target := ""
	if p.hold != nil {
		target = p.hold.Name()
	} else if name, err := slaveName(p.master); err == nil {
		target = name
	}
	err := unlink(p.link, target)
	if p.hold != nil {
		err = errors.Join(err, p.hold.Close())
		p.hold = nil
	}
	return errors.Join(err, p.master.Close())
}
