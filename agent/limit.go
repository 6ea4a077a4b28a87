package agent

import (
	"net"
	"sync"
	"sync/atomic"

	"minato/agent/netstack"
)

// A limitListener is a listener of the stack that lets no more than so many connections in at a time; the others are reset, which their client sees at once.
type limitListener struct {
	net.Listener
	limit   int64
	active  *atomic.Int64
	total   *atomic.Uint64
	refused *atomic.Uint64
}

// Accept implements net.Listener.
func (l *limitListener) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		l.total.Add(1)
		if l.active.Load() >= l.limit {
			l.refused.Add(1)
			c.(*netstack.Conn).Abort()
			c.Close()
			continue
		}
		l.active.Add(1)
		return &limitedConn{Conn: c.(*netstack.Conn), active: l.active}, nil
	}
}

// limitedConn has all that the stack's connection can: half-close, and copying without a buffer.
type limitedConn struct {
	*netstack.Conn
	active *atomic.Int64
	once   sync.Once
}

// Close implements net.Conn.
func (c *limitedConn) Close() error {
	c.once.Do(func() { c.active.Add(-1) })
	return c.Conn.Close()
}
