package splice

import (
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"time"
)

const (
	// chunk is the most that one call moves in the kernel: what the counters may lag behind by.
	chunk = 512 << 10
	// burst is how long the kernel, or a copy that holds a buffer, waits for more bytes.
	burst = 100 * time.Millisecond
)

// copyTCP waits without a buffer until bytes are there. Few are copied; when they fill a buffer more are likely, and the
// kernel moves those, if dst is TCP too (not nil), until there is a pause.
func (d *direction) copyTCP(src, dst *net.TCPConn, ready *readyReader) (read bool, err error) {
	pool := poolFor(d.dst)
	var until time.Time
	for {
		d.await(&until)
		buf, n, err := ready.read(pool)
		if err != nil {
			if err = d.lull(err); err != nil {
				return true, err
			}
			until = time.Time{}
			continue
		}
		full := n == len(*buf)
		err = d.write((*buf)[:n])
		pool.Put(buf)
		if err != nil {
			return false, err
		}
		if full && dst != nil {
			if read, err := d.spliceTCP(src, dst); err != nil {
				return read, err
			}
			until = time.Time{}
		}
	}
}

// spliceTCP lets the kernel move bytes until there are none for burst: then it returns nil.
func (d *direction) spliceTCP(src, dst *net.TCPConn) (read bool, err error) {
	var until time.Time
	defer src.SetReadDeadline(time.Time{})
	for {
		if now := time.Now(); until.Sub(now) < burst/2 {
			until = now.Add(burst)
			if err := src.SetReadDeadline(until); err != nil {
				return true, err
			}
		}
		// ReadFrom splices from a *net.TCPConn within a LimitedReader, and only from these.
		n, err := dst.ReadFrom(&io.LimitedReader{R: src, N: chunk})
		read := err == nil || errors.Is(err, os.ErrDeadlineExceeded) || d.readFailed(src, err)
		if !read {
			d.bytes.Add(n) // they went before the wait that failed: nothing moves now
			return false, err
		}
		d.count(n)
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
			return false, nil
		case err != nil:
			return true, err
		case n < chunk:
			return true, io.EOF
		}
	}
}

// readFailed tells whether a splice failed at its source: the error does not say. A source that is well has bytes, or
// nothing yet; bytes read here are lost, but so is the other side.
func (d *direction) readFailed(src *net.TCPConn, err error) bool {
	if errors.Is(err, syscall.EPIPE) {
		return false
	}
	if wasReset(src) {
		return true
	}
	src.SetReadDeadline(time.Now().Add(burst))
	_, err = src.Read(make([]byte, 1))
	return err != nil && err != io.EOF && !isTimeout(err) // a source that has ended in order has not failed
}
