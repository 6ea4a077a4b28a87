package relay

import (
	"errors"
	"io"
	"net"
	"os"
	"time"
)

// refusalBytes is how much a refused client may still send before the connection is reset.
const refusalBytes = 64 << 10

// halfCloser is a connection whose sending direction ends alone: a kernel socket's, a userspace stack's.
type halfCloser interface{ CloseWrite() error }

// closeOrderly ends a connection as a client understands best: our FIN goes out at once, then what the client still sends is thrown away
// until it closes too. Closing at once with unread data would send RST, and a client that has just written would see
// "connection reset" in place of a clean end. It says false when the client did not close within the limits, so that it may see a reset.
func closeOrderly(conn net.Conn, timeout time.Duration) (orderly bool) {
	defer conn.Close()
	h, ok := conn.(halfCloser)
	if !ok {
		return true // nothing better than Close is known of it
	}
	if err := h.CloseWrite(); err != nil {
		return true // the client has gone already
	}
	if err := conn.SetReadDeadline(time.Now().Add(timeout)); err != nil {
		return true
	}
	n, err := io.Copy(io.Discard, io.LimitReader(conn, refusalBytes+1))
	return n <= refusalBytes && !errors.Is(err, os.ErrDeadlineExceeded)
}

// closeClient ends a client's connection in an orderly way, TLS first where it speaks TLS.
func closeClient(conn net.Conn, timeout time.Duration) (orderly bool) {
	t, ok := conn.(*tlsClient)
	if !ok {
		return closeOrderly(conn, timeout)
	}
	if err := t.CloseWrite(); err != nil { // close_notify
		t.wire.Close()
		return true
	}
	return closeOrderly(t.wire, timeout)
}
