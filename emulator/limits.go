package emulator

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// ErrTooMany is returned by Run when this machine does not allow as many open files as the modems need.
var ErrTooMany = errors.New("too many modems for this machine")

const (
	filesApart    = 128 // what the process needs beside its modems: doors, control API, captures, a few clients
	filesPerPort  = 2   // of a pseudo-terminal, master and slave
	filesPerModem = 4   // the clients of its sockets
)

// raiseFileLimit makes room for all ports before the first is opened, so that a limit is told as such and not by the modem that hit it.
func (e *Emulator) raiseFileLimit() error {
	need := uint64(filesApart)
	for _, m := range e.modems {
		need += uint64(filesPerPort*len(m.ports) + 1 + len(e.listen) + filesPerModem)
	}
	return raiseFileLimit(need, unix.Getrlimit, unix.Setrlimit)
}

func raiseFileLimit(need uint64, get, set func(which int, l *unix.Rlimit) error) error {
	var l unix.Rlimit
	if err := get(unix.RLIMIT_NOFILE, &l); err != nil {
		return fmt.Errorf("reading the limit of open files: %w", err)
	}
	if uint64(l.Cur) >= need {
		return nil
	}
	if uint64(l.Max) < need {
		return fmt.Errorf("%w: %d open files are needed, and the hard limit is %d", ErrTooMany, need, l.Max)
	}
	l.Cur = l.Max
	if err := set(unix.RLIMIT_NOFILE, &l); err != nil {
		return fmt.Errorf("%w: %d open files are needed: raising the limit: %w", ErrTooMany, need, err)
	}
	return nil
}
