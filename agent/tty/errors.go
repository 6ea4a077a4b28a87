package tty

import (
	"errors"
	"fmt"
	"io/fs"

	"go.bug.st/serial"
	"golang.org/x/sys/unix"
)

// Why a port cannot be opened.
var (
	ErrNotFound   = errors.New("there is no such port")
	ErrIncomplete = errors.New("not all of the modem's ports are there yet")
	ErrPermission = errors.New("this user may not open it")
	ErrBusy       = errors.New("another program holds it")
	ErrNotTTY     = errors.New("it is not a serial port")
)

// Error says which port could not be opened, and who holds it where that is known.
type Error struct {
	Path   string
	Err    error
	Holder *Holder // of ErrBusy; nil: not found
}

// Holder is the process that has a port open.
type Holder struct {
	PID     int
	Program string
}

func (h Holder) String() string { return fmt.Sprintf("%s (pid %d)", h.Program, h.PID) }

func (e *Error) Error() string {
	if e.Holder != nil {
		return fmt.Sprintf("opening port %q: held by %s", e.Path, e.Holder)
	}
	return fmt.Sprintf("opening port %q: %v", e.Path, e.Err)
}

func (e *Error) Unwrap() error { return e.Err }

// Hint says what to do; "" where there is nothing to say.
func (e *Error) Hint() string {
	switch {
	case errors.Is(e.Err, ErrNotFound):
		return "check the cable and the power of the modem; `minato-agent modems` lists the ports that are there"
	case errors.Is(e.Err, ErrPermission):
		return "add the user to the group of the port, mostly dialout: `sudo usermod -aG dialout $USER`, then log in again"
	case errors.Is(e.Err, ErrBusy) && e.Holder != nil && e.Holder.Program == "ModemManager":
		return "stop ModemManager (`sudo systemctl disable --now ModemManager`), or keep it off this modem with a udev rule"
	case errors.Is(e.Err, ErrBusy):
		return "end that program: a modem's port has one owner (ModemManager, minicom, screen and pppd are the usual ones)"
	case errors.Is(e.Err, ErrAmbiguous):
		return "say which one by modem.usb: its id, its place on the bus, or its serial number"
	case errors.Is(e.Err, ErrNotTTY):
		return "name the modem's serial port, as /dev/ttyUSB2"
	}
	return ""
}

func busy(path, real string, h *Holder) error {
	if h == nil {
		h = fileHolder("/proc", real)
	}
	return &Error{Path: path, Err: ErrBusy, Holder: h}
}

// classify gives the system's errors, and go.bug.st/serial's, one vocabulary.
func classify(path, real string, err error) error {
	var pe *serial.PortError
	if errors.As(err, &pe) {
		switch pe.Code() {
		case serial.PortBusy:
			err = unix.EBUSY
		case serial.PermissionDenied:
			err = unix.EACCES
		}
	}
	switch {
	case errors.Is(err, unix.EBUSY):
		return busy(path, real, nil)
	case errors.Is(err, fs.ErrPermission):
		return &Error{Path: path, Err: ErrPermission}
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, unix.ENXIO), errors.Is(err, unix.ENODEV), errors.Is(err, unix.EIO):
		return &Error{Path: path, Err: ErrNotFound}
	}
	return &Error{Path: path, Err: err}
}
