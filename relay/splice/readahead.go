package splice

import (
	"net"
	"sync"
)

// aheadSize is how much is read from a socket at a time where crypto/tls alone asks for little more than one record of 16 KiB.
const aheadSize = 128 << 10

var aheadBuffers = sync.Pool{New: func() any { b := make([]byte, aheadSize); return &b }}

// ReadAhead reads from a TCP connection in large pieces and gives them out in the small ones that crypto/tls asks for. It holds a buffer only
// while there are bytes in it. A deadline of the connection does not keep back what was read before. One reader at a time.
type ReadAhead struct {
	ready *readyReader
	held  *[]byte // buffer of rest; nil: none
	rest  []byte
}

// NewReadAhead reads from c, from which nobody else may read then.
func NewReadAhead(c *net.TCPConn) (*ReadAhead, error) {
	ready, err := newReadyReader(c)
	if err != nil {
		return nil, err
	}
	return &ReadAhead{ready: ready}, nil
}

// Read waits for bytes and gives as many as there are room and bytes read.
func (r *ReadAhead) Read(p []byte) (int, error) {
	if len(r.rest) == 0 {
		buf, n, err := r.ready.read(&aheadBuffers)
		if err != nil {
			return 0, err
		}
		r.held, r.rest = buf, (*buf)[:n]
	}
	n := copy(p, r.rest)
	if r.rest = r.rest[n:]; len(r.rest) == 0 {
		aheadBuffers.Put(r.held)
		r.held, r.rest = nil, nil
	}
	return n, nil
}
