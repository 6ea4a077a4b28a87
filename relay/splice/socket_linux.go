package splice

import (
	"net"

	"golang.org/x/sys/unix"
)

// tcpClose is TCP_CLOSE of the kernel's tcp_states.h.
const tcpClose = 7

// wasReset tells a reset from an orderly end, where a read says no more than that nothing comes: the kernel tells of a reset once, to whichever
// call is first. After the peer's FIN alone the socket waits for ours; after a reset it is closed. After both FINs it is too, but then this
// direction is not the first to end, and how it ended does not count.
func wasReset(c net.Conn) bool {
	reset := false
	control(c, func(fd int) {
		info, err := unix.GetsockoptTCPInfo(fd, unix.IPPROTO_TCP, unix.TCP_INFO)
		reset = err == nil && info.State == tcpClose
	})
	return reset
}

// unsent is how many bytes wait in a socket for the peer's acknowledgement.
func unsent(c net.Conn) (n int64) {
	control(c, func(fd int) {
		if queued, err := unix.IoctlGetInt(fd, unix.SIOCOUTQ); err == nil {
			n = int64(queued)
		}
	})
	return n
}

// control calls do with the descriptor of a kernel's TCP connection that is open.
func control(c net.Conn, do func(fd int)) {
	t, ok := c.(*net.TCPConn)
	if !ok {
		return
	}
	if raw, err := t.SyscallConn(); err == nil {
		raw.Control(func(fd uintptr) { do(int(fd)) }) // its error: the connection is closed
	}
}
