package pty

import (
	"errors"
	"fmt"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// hangUp is called at the EIO that follows the last close. While no user has the device open, every read of the master is EIO
// at once, so we open the device ourselves and hold it until a user's first byte: reads block again, with no spin.
//
// A user that opens the device again before the reader has run at all is not told from one that never left: the kernel keeps no
// count of edges.
//
// What the user left unread is thrown away, as a USB driver does at close.
func (p *Port) hangUp() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return os.ErrClosed
	}
	if p.hold != nil { // a hold of ours was open: the EIO is not a user's close
		return fmt.Errorf("reading %q: %w", p.link, syscall.EIO)
	}
	name, err := slaveName(p.master)
	if err != nil {
		return err
	}
	hold, err := os.OpenFile(name, os.O_RDWR|unix.O_NOCTTY, 0)
	switch {
	case errors.Is(err, syscall.EBUSY):
		// A user that died with TIOCEXCL set leaves the device locked for everyone but root, for as long as the master lives:
		// unlike with a real tty, nothing frees it. A fresh pair under the same name does.
		return p.replaceLocked(name)
	case err != nil:
		return fmt.Errorf("holding %q: %w", p.link, err)
	}
	if err := flushInput(hold); err != nil {
		return errors.Join(fmt.Errorf("flushing %q: %w", p.link, err), hold.Close())
	}
	p.hold = hold
	return nil
}

// replaceLocked puts a new pair behind the stable name.
func (p *Port) replaceLocked(old string) error {
	master, slave, err := openPair()
	if err != nil {
		return err
	}
	err = errors.Join(unlink(p.link, old), symlink(slave.Name(), p.link),
		master.SetReadDeadline(p.readDL), master.SetWriteDeadline(p.writeDL))
	if err != nil {
		return errors.Join(err, master.Close(), slave.Close())
	}
	err = p.master.Close() // a Write that is blocked in it ends with os.ErrClosed; nobody would have read it
	p.master, p.hold = master, slave
	return err
}

// release lets go of our own slave once a user is there, so that its close is seen.
func (p *Port) release() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.hold != nil {
		p.hold.Close() // nothing was written to it
		p.hold = nil
	}
}
