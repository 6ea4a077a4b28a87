package relay

import (
	"errors"
	"io"
	"net"

	"minato/relay/splice"
)

// peekedConn gives again what was read from the client before TLS started. One reader at a time.
type peekedConn struct {
	net.Conn
	peeked []byte
}

func (c *peekedConn) Read(p []byte) (int, error) {
	if len(c.peeked) == 0 {
		return c.Conn.Read(p)
	}
	n := copy(p, c.peeked)
	if c.peeked = c.peeked[n:]; len(c.peeked) == 0 {
		c.peeked = nil // lets go of the ClientHello
	}
	return n, nil
}

// NetConn is the connection below, for who half-closes under TLS.
func (c *peekedConn) NetConn() net.Conn { return c.Conn }

// tlsClient is a client's TLS connection after the handshake.
type tlsClient struct {
	*splice.TLSConn
	wire net.Conn // the connection under TLS
}

// Read takes the end of the TCP stream for the end of the data also where the client sends no close_notify: many do not, and the
// device would have seen no difference without TLS.
func (t *tlsClient) Read(p []byte) (int, error) {
	n, err := t.TLSConn.Read(p)
	if errors.Is(err, io.ErrUnexpectedEOF) {
		err = io.EOF
	}
	return n, err
}
