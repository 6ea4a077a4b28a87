package splice

import (
	"cmp"
	"crypto/tls"
	"net"
	"sync"
)

const (
	gatherSize = 128 << 10 // most of one TLS Write that is gathered

	// A record of 16 KiB grows by its header (5), content type (1) and tag (16), in TLS 1.2 also by a nonce (8) or, with CBC, a MAC and
	// padding (RFC 8446 section 5.2, RFC 5246 section 6.2.3): at most 2048, in practice under 100. While small records begin a
	// connection (crypto/tls sends them of one packet for the first 128 KiB) the share is larger.
	gatherOverhead = 8 << 10
)

var gatherBuffers = sync.Pool{New: func() any { b := make([]byte, 0, gatherSize+gatherOverhead); return &b }}

// GatherConn goes under a *tls.Conn and gathers the records of one TLS Write into one system call of up to 128 KiB, where
// crypto/tls alone makes one call per record of 16 KiB:
//
//	g := splice.NewGatherConn(tcp)
//	conn := g.Wrap(tls.Server(g, config)) // Write on conn gathers; handshake, alerts and Close pass straight through
//
// Nothing stays behind: every Write of the TLSConn sends what it gathered before it returns.
type GatherConn struct {
	net.Conn

	mu      sync.Mutex // guards what follows; held while writing to Conn, so that records keep their order
	writers int        // TLS Writes that run
	held    *[]byte    // gathered and not yet sent; nil: nothing
	err     error      // of the first write that failed: the stream is broken from there on
}

// NewGatherConn wraps the connection that carries the records.
func NewGatherConn(c net.Conn) *GatherConn { return &GatherConn{Conn: c} }

// Write sends b, or keeps it while a TLS Write runs.
func (g *GatherConn) Write(b []byte) (int, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.err != nil {
		return 0, g.err
	}
	if g.writers == 0 {
		n, err := g.Conn.Write(b)
		g.err = err
		return n, err
	}
	if g.held == nil {
		g.held = gatherBuffers.Get().(*[]byte)
	}
	if len(*g.held)+len(b) > cap(*g.held) {
		if err := g.flushLocked(); err != nil {
			return 0, err
		}
		g.held = gatherBuffers.Get().(*[]byte)
	}
	*g.held = append(*g.held, b...) // a larger b than the buffer makes a larger buffer
	return len(b), nil
}

// flushLocked sends what was gathered.
func (g *GatherConn) flushLocked() error {
	if g.held == nil {
		return g.err
	}
	if g.err == nil {
		_, g.err = g.Conn.Write(*g.held)
	}
	*g.held = (*g.held)[:0]
	gatherBuffers.Put(g.held)
	g.held = nil
	return g.err
}

func (g *GatherConn) begin() {
	g.mu.Lock()
	g.writers++
	g.mu.Unlock()
}

func (g *GatherConn) end() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.writers--
	return g.flushLocked()
}

// CloseWrite sends what was gathered and half-closes the connection below, if it can.
func (g *GatherConn) CloseWrite() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	err := g.flushLocked()
	if half, ok := g.Conn.(interface{ CloseWrite() error }); ok {
		err = cmp.Or(err, half.CloseWrite())
	}
	return err
}

// NetConn returns the connection below.
func (g *GatherConn) NetConn() net.Conn { return g.Conn }

// TLSConn is a *tls.Conn whose Write gathers.
type TLSConn struct {
	*tls.Conn
	gather *GatherConn
}

// Wrap returns c with gathering writes. c must have been made on g.
func (g *GatherConn) Wrap(c *tls.Conn) *TLSConn { return &TLSConn{Conn: c, gather: g} }

// Write sends b in as few system calls as GatherConn can. As with any net.Conn, several goroutines may write.
func (c *TLSConn) Write(b []byte) (int, error) {
	if err := c.Conn.Handshake(); err != nil { // its flights must go out while it waits for the peer's
		return 0, err
	}
	c.gather.begin()
	n, err := c.Conn.Write(b)
	if ferr := c.gather.end(); ferr != nil {
		return 0, ferr // which of b went out is not known
	}
	return n, err
}
