package relay

import (
	"crypto/tls"
	"errors"
	"io"
	"net"

	"minato/relay/splice"
)

// peekedConn gives again what was read from the client before TLS started. One reader at a time.
type peekedConn struct {
	net.Conn
	peeked []byte
	tail   [alertRecord]byte // last bytes that were read, until done
	done   bool              // the handshake is over: tail is of no more use
	ahead  *splice.ReadAhead // reads Conn once the handshake is over; nil: Conn is read as it is
}

// shaken notes that the handshake is over: from now on there may be much to read.
func (c *peekedConn) shaken() {
	c.done = true
	if t, ok := c.Conn.(*net.TCPConn); ok {
		c.ahead, _ = splice.NewReadAhead(t) // its error: the connection is closed, as reading it tells
	}
}

// alertRecord is the length of an alert record in plaintext: type 21, version, length 2, level, description (RFC 8446 section 6).
const alertRecord = 7

func (c *peekedConn) Read(p []byte) (n int, err error) {
	switch {
	case len(c.peeked) == 0 && c.ahead != nil:
		n, err = c.ahead.Read(p)
	case len(c.peeked) == 0:
		n, err = c.Conn.Read(p)
	default:
		n = copy(p, c.peeked)
		if c.peeked = c.peeked[n:]; len(c.peeked) == 0 {
			c.peeked = nil // lets go of the ClientHello
		}
	}
	if !c.done {
		last := p[max(0, n-alertRecord):n]
		copy(c.tail[:], c.tail[len(last):])
		copy(c.tail[alertRecord-len(last):], last)
	}
	return n, err
}

// alert is an alert in plaintext that the client sent last. In TLS 1.3 crypto/tls takes one for a broken record, but OpenSSL rejects
// certificates like this, before it has switched to the handshake's keys.
func (c *peekedConn) alert() (tls.AlertError, bool) {
	t := c.tail
	return tls.AlertError(t[6]), t[0] == 21 && t[1] == 3 && t[3] == 0 && t[4] == 2
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
