//go:build unix

package splice

import (
	"io"
	"net"
	"os"
	"sync"
	"syscall"
)

// readyReader reads from a socket into a buffer that it takes only once bytes are there.
type readyReader struct {
	raw  syscall.RawConn
	pool *sync.Pool
	buf  *[]byte
	n    int
	err  error
	try  func(fd uintptr) bool
}

func newReadyReader(c *net.TCPConn) (*readyReader, error) {
	raw, err := c.SyscallConn()
	if err != nil {
		return nil, err
	}
	r := &readyReader{raw: raw}
	r.try = r.tryRead
	return r, nil
}

// read waits for bytes and returns them in a buffer that the caller puts back, or io.EOF, or an error.
func (r *readyReader) read(pool *sync.Pool) (buf *[]byte, n int, err error) {
	r.pool, r.buf, r.n, r.err = pool, nil, 0, nil
	if err := r.raw.Read(r.try); err != nil {
		return nil, 0, err
	}
	if r.err == nil && r.n > 0 {
		return r.buf, r.n, nil
	}
	pool.Put(r.buf)
	if r.err == nil {
		r.err = io.EOF
	}
	return nil, 0, r.err
}

// tryRead returns false to be called again when the socket is readable.
func (r *readyReader) tryRead(fd uintptr) bool {
	buf := r.pool.Get().(*[]byte)
	for {
		n, err := syscall.Read(int(fd), *buf)
		switch err {
		case nil:
			r.buf, r.n = buf, n
			return true
		case syscall.EINTR:
			continue
		case syscall.EAGAIN:
			r.pool.Put(buf)
			return false
		}
		r.buf, r.err = buf, os.NewSyscallError("read", err)
		return true
	}
}
