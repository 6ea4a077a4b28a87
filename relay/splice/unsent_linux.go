package splice

import (
	"net"

	"golang.org/x/sys/unix"
)

// unsent is how many bytes wait in a socket for the peer's acknowledgement.
func unsent(c net.Conn) int64 {
	t, ok := c.(*net.TCPConn)
	if !ok {
		return 0
	}
	raw, err := t.SyscallConn()
	if err != nil {
		return 0
	}
	n := 0
	raw.Control(func(fd uintptr) { n, _ = unix.IoctlGetInt(int(fd), unix.SIOCOUTQ) }) // a closed socket has none
	return int64(n)
}
