package netstack

import (
	"bytes"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"sync"
	"syscall"
	"time"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/transport/tcp"
	"gvisor.dev/gvisor/pkg/waiter"
)

// Conn is a TCP connection of the host. It is what Listen's and DialContext's net.Conn are, and behaves as a *net.TCPConn does.
type Conn struct {
	host          *Stack
	ep            tcpip.Endpoint
	local, remote *net.TCPAddr

	closeOnce  sync.Once
	closed     chan struct{}
	readUntil  deadline
	writeUntil deadline

	readMu    sync.Mutex // one Read at a time
	readable  chan struct{}
	readEntry waiter.Entry
	dst       tcpip.SliceWriter // here and not in Read, where each call would allocate it

	writeMu    sync.Mutex // one Write at a time
	writable   chan struct{}
	writeEntry waiter.Entry
	src        bytes.Reader

	failMu sync.Mutex
	failed error // what ended the connection: gVisor tells it once, to whoever asks first
}

var (
	_ net.Conn      = (*Conn)(nil)
	_ io.WriterTo   = (*Conn)(nil)
	_ io.ReaderFrom = (*Conn)(nil)
)

// newConn wraps a connected endpoint.
func newConn(host *Stack, ep tcpip.Endpoint, wq *waiter.Queue, remote netip.AddrPort) *Conn {
	c := &Conn{host: host, ep: ep, remote: net.TCPAddrFromAddrPort(remote), closed: make(chan struct{}), readUntil: newDeadline(), writeUntil: newDeadline()}
	// The entries stay for the life of the connection, so that waiting allocates nothing. A wake-up too many costs one look.
	c.readEntry, c.readable = waiter.NewChannelEntry(waiter.ReadableEvents | waiter.EventHUp | waiter.EventErr)
	c.writeEntry, c.writable = waiter.NewChannelEntry(waiter.WritableEvents | waiter.EventHUp | waiter.EventErr)
	wq.EventRegister(&c.readEntry)
	wq.EventRegister(&c.writeEntry)
	tuneConn(ep)
	if a, err := ep.GetLocalAddress(); err == nil {
		c.local = net.TCPAddrFromAddrPort(addrPort(a))
	}
	return c
}

// Read implements net.Conn.
func (c *Conn) Read(p []byte) (int, error) {
	c.readMu.Lock()
	defer c.readMu.Unlock()
	n, err := c.read(p)
	if err != nil && err != io.EOF {
		err = c.opError("read", err)
	}
	return n, err
}

func (c *Conn) read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	until := c.readUntil.done()
	for {
		if err := c.usable(until); err != nil {
			return 0, err
		}
		c.dst = p
		res, terr := c.ep.Read(&c.dst, tcpip.ReadOptions{})
		c.dst = nil
		if terr == nil {
			c.ep.ModerateRecvBuf(res.Count)
			return res.Count, nil
		}
		if _, ok := terr.(*tcpip.ErrWouldBlock); !ok {
			return 0, c.failure(terr)
		}
		if err := c.wait(c.readable, until); err != nil {
			return 0, err
		}
	}
}

// Write implements net.Conn.
func (c *Conn) Write(p []byte) (int, error) {
	c.writeMu.Lock()
	defer c.writeMu.Unlock()
	n, err := c.write(p)
	if err != nil {
		err = c.opError("write", err)
	}
	return n, err
}

func (c *Conn) write(p []byte) (int, error) {
	until := c.writeUntil.done()
	for done := 0; ; {
		if err := c.usable(until); err != nil {
			return done, err
		}
		if done == len(p) {
			return done, nil
		}
		c.src.Reset(p[done:])
		n, terr := c.ep.Write(&c.src, tcpip.WriteOptions{})
		c.src.Reset(nil)
		done += int(n)
		if terr == nil {
			if done == len(p) {
				return done, nil
			}
			continue
		}
		if _, ok := terr.(*tcpip.ErrWouldBlock); !ok {
			return done, c.failure(terr)
		}
		if err := c.wait(c.writable, until); err != nil {
			return done, err
		}
	}
}

// usable tells why the connection cannot be used at this moment, whatever its state is.
func (c *Conn) usable(until <-chan struct{}) error {
	select {
	case <-c.closed:
		return net.ErrClosed
	default:
	}
	select {
	case <-until:
		return os.ErrDeadlineExceeded
	default:
		return nil
	}
}

// wait blocks until the endpoint may have changed.
func (c *Conn) wait(changed, until <-chan struct{}) error {
	select {
	case <-changed:
		return nil
	case <-until:
		return os.ErrDeadlineExceeded
	case <-c.closed:
		return net.ErrClosed
	case <-c.host.ended:
		return syscall.ECONNABORTED
	}
}

// failure maps an endpoint's error. gVisor gives the reason of a dead connection to the first call only and an orderly end to
// the next ones; here a reset stays a reset.
func (c *Conn) failure(terr tcpip.Error) error {
	select {
	case <-c.closed: // what gVisor says of an endpoint that we closed ourselves does not matter
		return net.ErrClosed
	default:
	}
	err := convert(terr)
	if tcp.EndpointState(c.ep.State()) != tcp.StateError {
		return err
	}
	c.failMu.Lock()
	defer c.failMu.Unlock()
	if err == io.EOF || errors.Is(err, syscall.EPIPE) || errors.Is(err, syscall.ENOTCONN) {
		if c.failed == nil { // the other direction was told and has not stored it yet
			return syscall.ECONNRESET
		}
		return c.failed
	}
	if c.failed == nil {
		c.failed = err
	}
	return c.failed
}

// Close implements net.Conn. Data that was written is still sent; data that was not read makes it a reset, as everywhere.
func (c *Conn) Close() error {
	err := net.ErrClosed
	c.closeOnce.Do(func() {
		err = nil
		close(c.closed)
		c.readUntil.stop()
		c.writeUntil.stop()
		c.ep.Close()
	})
	if err != nil {
		return c.opError("close", err)
	}
	return nil
}

// Abort ends the connection at once with a reset to the peer, and drops what was not sent. Close must still be called.
func (c *Conn) Abort() { c.ep.Abort() }

// CloseRead shuts down the reading side.
func (c *Conn) CloseRead() error { return c.shutdown(tcpip.ShutdownRead) }

// CloseWrite sends a FIN after what was written, and leaves the reading side open.
func (c *Conn) CloseWrite() error { return c.shutdown(tcpip.ShutdownWrite) }

func (c *Conn) shutdown(how tcpip.ShutdownFlags) error {
	select {
	case <-c.closed:
		return c.opError("close", net.ErrClosed)
	default:
	}
	if terr := c.ep.Shutdown(how); terr != nil {
		return c.opError("close", c.failure(terr))
	}
	return nil
}

// LocalAddr implements net.Conn; it is a *net.TCPAddr.
func (c *Conn) LocalAddr() net.Addr { return c.local }

// RemoteAddr implements net.Conn; it is a *net.TCPAddr.
func (c *Conn) RemoteAddr() net.Addr { return c.remote }

// SetDeadline implements net.Conn.
func (c *Conn) SetDeadline(t time.Time) error {
	if err := c.SetReadDeadline(t); err != nil {
		return err
	}
	return c.SetWriteDeadline(t)
}

// SetReadDeadline implements net.Conn.
func (c *Conn) SetReadDeadline(t time.Time) error { return c.setDeadline(&c.readUntil, t) }

// SetWriteDeadline implements net.Conn.
func (c *Conn) SetWriteDeadline(t time.Time) error { return c.setDeadline(&c.writeUntil, t) }

func (c *Conn) setDeadline(d *deadline, t time.Time) error {
	select {
	case <-c.closed:
		return c.opError("set", net.ErrClosed)
	default:
	}
	d.set(t)
	return nil
}

func (c *Conn) opError(op string, err error) error {
	return &net.OpError{Op: op, Net: "tcp", Source: c.local, Addr: c.remote, Err: err}
}
