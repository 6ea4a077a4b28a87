package splice

import (
	"crypto/tls"
	"net"
)

// GatherConn goes under a *tls.Conn and gathers the records of one TLS Write into one system call of up to 128 KiB, where
// crypto/tls alone makes one call per record of 16 KiB:
//
//	g := splice.NewGatherConn(tcp)
//	conn := g.Wrap(tls.Server(g, config)) // Write on conn gathers; handshake, alerts and Close pass straight through
type GatherConn struct{ net.Conn }

// NewGatherConn wraps the connection that carries the records.
func NewGatherConn(c net.Conn) *GatherConn { return &GatherConn{Conn: c} }

// TLSConn is a *tls.Conn whose Write gathers.
type TLSConn struct {
	*tls.Conn
	gather *GatherConn
}

// Wrap returns c with gathering writes. c must have been made on g.
func (g *GatherConn) Wrap(c *tls.Conn) *TLSConn { return &TLSConn{Conn: c, gather: g} }
