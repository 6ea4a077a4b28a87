package relay

import (
	"net"
	"time"

	"golang.org/x/sys/unix"
)

// setUserTimeout bounds how long the kernel sends the same bytes again to a peer that does not acknowledge them (TCP_USER_TIMEOUT, RFC 5482):
// its own limit is a quarter of an hour.
func setUserTimeout(c net.Conn, d time.Duration) {
	t, ok := c.(*net.TCPConn)
	if !ok {
		return // a userspace stack has its own
	}
	raw, err := t.SyscallConn()
	if err != nil {
		return // closed: the next read says so
	}
	raw.Control(func(fd uintptr) {
		unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, int(d.Milliseconds())) // without it the kernel's limit holds
	})
}
