// Package tty opens a modem's port, a serial line or a PTY, for this process alone.
//
// go.bug.st/serial opens the port, sets its line and closes it. The bytes go through a descriptor of our own that does not block:
// that package's Write cannot be interrupted, and each of its reads costs a select(2) that knows no descriptor above 1023. So a
// full line never holds up a shutdown, deadlines work, and a process may hold any number of ports.
//
//	port, err := tty.Open(tty.Config{Path: "/dev/ttyUSB2"})
//	if errors.Is(err, tty.ErrBusy) { ... } // the message names the program that holds it
package tty

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"go.bug.st/serial"
	"golang.org/x/sys/unix"
)

// Config says which port, and how its line is set: eight bits, no parity, one stop bit, raw.
type Config struct {
	Path    string // /dev/ttyUSB2, a PTY, or a symlink to either
	Baud    int    // 0: 115200. USB modems and PTYs ignore it
	RTSCTS  bool   // hardware flow control, where both lines are wired
	LockDir string // of UUCP lock files, which pppd and minicom honour; "": /run/lock. Where it cannot be written, none is made
}

// Port is an open port. Read returns io.EOF when the modem or the PTY's other end is gone. Close makes blocked calls return.
type Port struct {
	path   string
	file   *os.File    // moves the bytes
	line   serial.Port // holds the line's settings
	unlock func()
	uart   bool
	pty    bool

	once sync.Once
	err  error // of Close
}

// Open opens and locks a port. Its errors are an *Error, to be told apart with errors.Is: ErrNotFound, ErrPermission, ErrBusy,
// ErrNotTTY.
func Open(cfg Config) (*Port, error) {
	if cfg.Baud < 0 {
		return nil, &Error{Path: cfg.Path, Err: fmt.Errorf("baud rate %d is not positive", cfg.Baud)}
	}
	if cfg.Baud == 0 {
		cfg.Baud = 115200
	}
	path, err := filepath.EvalSymlinks(cfg.Path)
	if err != nil {
		return nil, classify(cfg.Path, cfg.Path, err)
	}
	fd, err := unix.Open(path, unix.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, classify(cfg.Path, path, err)
	}
	// From here on the descriptor is the file's.
	p := &Port{path: cfg.Path, file: os.NewFile(uintptr(fd), cfg.Path)}
	if err := p.claim(cfg, path, fd); err != nil {
		p.file.Close()
		return nil, err
	}
	return p, nil
}

// claim locks the port before it touches a line that may be another program's.
func (p *Port) claim(cfg Config, path string, fd int) error {
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return &Error{Path: cfg.Path, Err: err}
	}
	if _, err := unix.IoctlGetTermios(fd, unix.TCGETS); err != nil {
		return &Error{Path: cfg.Path, Err: ErrNotTTY}
	}
	if err := unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB); err != nil {
		return busy(cfg.Path, path, lockHolder("/proc", &st))
	}
	p.pty = isPTY(&st)
	name := filepath.Base(path)
	p.uart = !p.pty && !strings.HasPrefix(name, "ttyUSB") && !strings.HasPrefix(name, "ttyACM")
	if !p.pty && isExclusive(fd) { // root's open is not refused
		return busy(cfg.Path, path, fileHolder("/proc", path))
	}
	p.unlock = func() {}
	if !p.pty {
		unlock, holder, err := lockUUCP(cfg.LockDir, path)
		if err != nil {
			return &Error{Path: cfg.Path, Err: err}
		}
		if holder != nil {
			return busy(cfg.Path, path, holder)
		}
		p.unlock = unlock
	}
	line, err := serial.Open(path, &serial.Mode{BaudRate: cfg.Baud})
	if err != nil {
		p.unlock()
		return classify(cfg.Path, path, err)
	}
	p.line = line
	if p.pty {
		// Exclusive use outlives a killed process on a PTY whose master stays open, and nobody but root could open it again.
		unix.IoctlSetInt(fd, unix.TIOCNXCL, 0)
	}
	if cfg.RTSCTS {
		if err := setRTSCTS(fd); err != nil {
			line.Close()
			p.unlock()
			return &Error{Path: cfg.Path, Err: fmt.Errorf("setting hardware flow control: %w", err)}
		}
	}
	return nil
}

func setRTSCTS(fd int) error {
	t, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	if err != nil {
		return err
	}
	t.Cflag |= unix.CRTSCTS
	return unix.IoctlSetTermios(fd, unix.TCSETS, t)
}

// isPTY knows a Unix98 PTY by its device number (Linux, admin-guide/devices.txt).
func isPTY(st *unix.Stat_t) bool {
	major := unix.Major(uint64(st.Rdev))
	return major >= 136 && major <= 143
}

func isExclusive(fd int) bool {
	on, err := unix.IoctlGetInt(fd, unix.TIOCGEXCL)
	return err == nil && on != 0
}

// Path is what the port was opened by.
func (p *Port) Path() string { return p.path }

// Read reads what is there, and waits for the first byte. It makes one read(2): while the caller handles what that brought, the kernel moves
// the next octets up, and a reader that comes back sooner waits for that.
func (p *Port) Read(b []byte) (int, error) {
	n, err := p.file.Read(b)
	return n, hangup(err)
}

// Write writes all of b, or as much as goes out before Close or the write deadline.
func (p *Port) Write(b []byte) (int, error) {
	n, err := p.file.Write(b)
	return n, hangup(err)
}

// hangup gives the end of the port one name: the kernel says EIO on a line that was hung up.
func hangup(err error) error {
	if errors.Is(err, unix.EIO) || errors.Is(err, unix.ENXIO) {
		return io.EOF
	}
	return err
}

// SetReadDeadline and SetWriteDeadline are as for a net.Conn.
func (p *Port) SetReadDeadline(t time.Time) error  { return p.file.SetReadDeadline(t) }
func (p *Port) SetWriteDeadline(t time.Time) error { return p.file.SetWriteDeadline(t) }

// SetBaud changes the line's speed.
func (p *Port) SetBaud(baud int) error {
	if err := p.line.SetMode(&serial.Mode{BaudRate: baud}); err != nil {
		return fmt.Errorf("setting %q to %d bit/s: %w", p.path, baud, err)
	}
	return nil
}

// IsUART tells a port whose speed is real, from the name of its driver: not a USB modem's, and not a PTY.
func (p *Port) IsUART() bool { return p.uart }

// HasSpeed tells a port on which the other end may hear nothing at the wrong speed: a UART, and a PTY, whose master can read it. A
// USB modem has none.
func (p *Port) HasSpeed() bool { return p.uart || p.pty }

// SetDTR drops or raises DTR, by which a modem with AT&D2 hangs up. On a PTY it is errors.ErrUnsupported.
func (p *Port) SetDTR(on bool) error {
	if err := p.line.SetDTR(on); errors.Is(err, unix.ENOTTY) {
		return fmt.Errorf("setting DTR of %q: %w", p.path, errors.ErrUnsupported)
	} else if err != nil {
		return fmt.Errorf("setting DTR of %q: %w", p.path, err)
	}
	return nil
}

// DCD tells whether the modem reports a carrier. On a PTY it is errors.ErrUnsupported.
func (p *Port) DCD() (bool, error) {
	bits, err := p.line.GetModemStatusBits()
	if errors.Is(err, unix.ENOTTY) {
		err = errors.ErrUnsupported
	}
	if err != nil {
		return false, fmt.Errorf("reading the modem lines of %q: %w", p.path, err)
	}
	return bits.DCD, nil
}

// Close unlocks and closes the port.
func (p *Port) Close() error {
	p.once.Do(func() {
		p.err = errors.Join(p.file.Close(), p.line.Close())
		p.unlock()
	})
	return p.err
}
