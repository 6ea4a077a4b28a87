package splice

import (
	"net"
	"sync"
)

// Sizes of buffers. A write to TLS is best as large as GatherConn gathers.
const (
	bufferSize    = 64 << 10
	tlsBufferSize = gatherSize
)

var (
	buffers    = sync.Pool{New: func() any { b := make([]byte, bufferSize); return &b }}
	tlsBuffers = sync.Pool{New: func() any { b := make([]byte, tlsBufferSize); return &b }}
)

// poolFor returns the pool for bytes that are written to dst.
func poolFor(dst net.Conn) *sync.Pool {
	if isTLS(dst) {
		return &tlsBuffers
	}
	return &buffers
}
