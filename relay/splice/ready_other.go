//go:build !unix

package splice

import (
	"net"
	"sync"
)

// readyReader reads a few bytes before it takes a buffer: these systems have no read that tries.
type readyReader struct{ conn *net.TCPConn }

func newReadyReader(c *net.TCPConn) (*readyReader, error) { return &readyReader{c}, nil }

// read waits for bytes and returns them in a buffer that the caller puts back, or io.EOF, or an error.
func (r *readyReader) read(pool *sync.Pool) (buf *[]byte, n int, err error) {
	var first [firstRead]byte
	n, err = r.conn.Read(first[:])
	if n == 0 {
		return nil, 0, err
	}
	buf = pool.Get().(*[]byte)
	copy(*buf, first[:n])
	return buf, n, nil // an error with bytes comes again
}
