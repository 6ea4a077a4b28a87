package netstack

import (
	"io"
	"sync"

	"gvisor.dev/gvisor/pkg/waiter"
)

// copySize is one buffer of a copy: as much as a lock of the endpoint, and a system call at the other end, should carry.
const copySize = 128 << 10

// probeSize is what a silent connection holds while it waits for its first bytes.
const probeSize = 512

var copyBuffers = sync.Pool{New: func() any { return new([copySize]byte) }}

// WriteTo implements io.WriterTo. It holds a buffer only while there is something to copy.
func (c *Conn) WriteTo(w io.Writer) (total int64, err error) {
	for {
		if err := c.awaitReadable(); err != nil {
			return total, err
		}
		n, err := c.copyBurst(w)
		total += n
		if err == io.EOF {
			return total, nil
		}
		if err != nil {
			return total, err
		}
	}
}

// copyBurst copies until nothing more is there.
func (c *Conn) copyBurst(w io.Writer) (total int64, err error) {
	buf := copyBuffers.Get().(*[copySize]byte)
	defer copyBuffers.Put(buf)
	for {
		n, err := c.Read(buf[:])
		if n > 0 {
			m, werr := w.Write(buf[:n])
			total += int64(m)
			if werr != nil {
				return total, werr
			}
			if m != n {
				return total, io.ErrShortWrite
			}
		}
		if err != nil {
			return total, err
		}
		if c.ep.Readiness(waiter.ReadableEvents) == 0 {
			return total, nil
		}
	}
}

// awaitReadable returns when a Read would not block.
func (c *Conn) awaitReadable() error {
	c.readMu.Lock()
	defer c.readMu.Unlock()
	until := c.readUntil.done()
	for {
		err := c.usable(until)
		if err == nil {
			if c.ep.Readiness(waiter.ReadableEvents) != 0 {
				return nil
			}
			err = c.wait(c.readable, until)
		}
		if err != nil {
			return c.opError("read", err)
		}
	}
}

// ReadFrom implements io.ReaderFrom. While r is silent it holds a small buffer only: what r is, and so whether it could be asked
// if it has bytes, is not known here.
func (c *Conn) ReadFrom(r io.Reader) (total int64, err error) {
	var probe [probeSize]byte
	for {
		n, err := r.Read(probe[:])
		if n > 0 {
			m, werr := c.Write(probe[:n])
			total += int64(m)
			if werr != nil {
				return total, werr
			}
		}
		if err == nil && n == len(probe) { // more waits, most likely
			var m int64
			m, err = c.fillBurst(r)
			total += m
		}
		if err == io.EOF {
			return total, nil
		}
		if err != nil {
			return total, err
		}
	}
}

// fillBurst reads with a large buffer until r gives little at a time again.
func (c *Conn) fillBurst(r io.Reader) (total int64, err error) {
	buf := copyBuffers.Get().(*[copySize]byte)
	defer copyBuffers.Put(buf)
	for {
		n, err := r.Read(buf[:])
		if n > 0 {
			m, werr := c.Write(buf[:n])
			total += int64(m)
			if werr != nil {
				return total, werr
			}
		}
		if err != nil || n < probeSize {
			return total, err
		}
	}
}
