package agent

import (
	"log/slog"
	"net"
	"sync"
	"sync/atomic"

	"minato/agent/netstack"
)

// places are the connections that a service, a forward or the status port has at a time.
type places struct {
	limit int64
	log   *slog.Logger

	active         atomic.Int64
	total, refused atomic.Uint64
	full           atomic.Bool // it was told
}

func newPlaces(limit int, log *slog.Logger) places { return places{limit: int64(limit), log: log} }

// take gives a connection a place. Where there is none, the connection is reset, which its client sees at once, as at a closed port. That is
// one line in the log until one finds a place again: whoever floods a port does not flood the log.
func (p *places) take(c net.Conn) bool {
	p.total.Add(1)
	if p.active.Add(1) <= p.limit {
		p.full.Store(false)
		return true
	}
	p.active.Add(-1)
	p.refused.Add(1)
	if !p.full.Swap(true) {
		p.log.Warn("no more connections: they are refused until one ends", "max_connections", p.limit, "client", c.RemoteAddr())
	}
	reset(c)
	return false
}

// leave gives the place back.
func (p *places) leave() { p.active.Add(-1) }

// reset tells a client that it is not served, as a closed port does.
func reset(c net.Conn) {
	switch c := c.(type) {
	case interface{ SetLinger(int) error }: // the kernel's
		c.SetLinger(0)
	case interface{ Abort() }: // netstack's
		c.Abort()
	}
	c.Close()
}

// A limitListener gives those connections of a link's listener that find a place.
type limitListener struct {
	net.Listener
	*places
}

// Accept implements net.Listener.
func (l *limitListener) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if !l.take(c) {
			continue
		}
		switch c := c.(type) {
		case *netstack.Conn:
			return &stackConn{Conn: c, leave: sync.OnceFunc(l.leave)}, nil
		case *net.TCPConn:
			return &kernelConn{TCPConn: c, leave: sync.OnceFunc(l.leave)}, nil
		}
		panic("agent: a link's listener gave a connection that is not TCP")
	}
}

// stackConn and kernelConn have all that their connections can: half-close, and copying without a buffer.
type stackConn struct {
	*netstack.Conn
	leave func()
}

type kernelConn struct {
	*net.TCPConn
	leave func()
}

// Close implements net.Conn.
func (c *stackConn) Close() error {
	c.leave()
	return c.Conn.Close()
}

// Close implements net.Conn.
func (c *kernelConn) Close() error {
	c.leave()
	return c.TCPConn.Close()
}
