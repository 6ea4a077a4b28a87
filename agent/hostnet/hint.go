package hostnet

import (
	"errors"
	"syscall"
)

// explained is an error of the kernel with what to do about it.
type explained struct {
	error
	hint string
}

func (e *explained) Unwrap() error { return e.error }

// Hint is what to do about an error of this package; "": nothing is known.
func Hint(err error) string {
	var e *explained
	if errors.As(err, &e) {
		return e.hint
	}
	return ""
}

// hints are by what the kernel says.
var hints = map[syscall.Errno]string{
	syscall.EPERM:        "give the agent CAP_NET_ADMIN: reference.yaml says how",
	syscall.EAFNOSUPPORT: "the agent's unit must allow AF_NETLINK: reference.yaml says how",
	syscall.EACCES:       "give the agent CAP_NET_ADMIN: reference.yaml says how",
	syscall.EBUSY:        "another program has a device of this name: set another tun.name",
	syscall.EEXIST:       "another route of the system has this destination and metric: change tun.routes or tun.metric",
	syscall.ENOENT:       "is there a /dev/net/tun? Load the kernel's module tun",
	syscall.ENODEV:       "is there a /dev/net/tun? Load the kernel's module tun",
}

// explain adds the hint.
func explain(err error) error {
	var no syscall.Errno
	if errors.As(err, &no) && hints[no] != "" {
		return &explained{err, hints[no]}
	}
	return err
}
