// Package neterr tells what a network error means, on every system: Windows has numbers of its own for what POSIX calls ECONNREFUSED.
package neterr

import (
	"context"
	"errors"
	"net"
	"os"
)

// Refused tells a connection that nothing listened for.
func Refused(err error) bool { return errors.Is(err, refused) }

// Reset tells a connection that the other side cut.
func Reset(err error) bool { return errors.Is(err, reset) }

// Timeout tells that an answer did not come in time, by whichever clock.
func Timeout(err error) bool {
	var n net.Error
	return errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded) || errors.As(err, &n) && n.Timeout()
}

// AddrInUse tells a port that another program listens on.
func AddrInUse(err error) bool { return errors.Is(err, addrInUse) }

// AddrNotAvail tells an address that this computer does not have.
func AddrNotAvail(err error) bool { return errors.Is(err, addrNotAvail) }

// Forbidden tells a port that this user may not listen on.
func Forbidden(err error) bool { return errors.Is(err, os.ErrPermission) || errors.Is(err, access) }
