// Package ppptest joins two ends of a PPP link without a line: for tests of what runs over PPP, and of PPP itself.
package ppptest

import (
	"io"
	"net"

	"minato/agent/ppp"
)

// Pair makes two ends of one link over an unbuffered pipe. Run both: each closes its end of the pipe when it ends.
func Pair(a, b ppp.Config) (*ppp.Conn, *ppp.Conn) {
	pa, pb := net.Pipe()
	return ppp.New(pa, a), ppp.New(pb, b)
}

// Port is a line as a modem's is: it takes back what was not PPP's.
type Port struct {
	io.ReadWriteCloser
	unread chan []byte
}

// NewPort wraps one end of a line.
func NewPort(rw io.ReadWriteCloser) *Port {
	return &Port{ReadWriteCloser: rw, unread: make(chan []byte, 16)}
}

// Unread implements ppp.Unreader.
func (p *Port) Unread(b []byte) { p.unread <- append([]byte(nil), b...) }

// Unreads returns all that was given back so far.
func (p *Port) Unreads() []byte {
	var all []byte
	for {
		select {
		case b := <-p.unread:
			all = append(all, b...)
		default:
			return all
		}
	}
}

var _ ppp.Unreader = (*Port)(nil)
