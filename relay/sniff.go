package relay

import (
	"errors"
	"syscall"
	"time"

	"minato/relay/recognize"
	"minato/relay/splice"
)

// sniffBytes is how much of each side is looked at: a banner, or a web server's complaint.
const sniffBytes = 4 << 10

// deafTime is how long a device may leave a ClientHello unanswered before it counts as speaking no TLS, where the client gave up.
const deafTime = 2 * time.Second

// stallTime is how long bytes must have waited for the device, with nothing moving, to call a connection stalled when it ends.
const stallTime = 10 * time.Second

// sniffed is what both sides' first bytes were. Each half belongs to the goroutine that copies that way.
type sniffed struct{ up, down sniff }

type sniff struct {
	bytes    []byte // until it is known what they are
	protocol recognize.Protocol
	heard    bool
	wantsTLS bool // the device's answer to plaintext
}

// firstBytes looks at what passes, until it is known what it is. The bytes pass in any case: what a device answers is the client's to judge.
func (c *connection) firstBytes(up bool, b []byte) (more bool) {
	s, from := &c.down, fromDevice
	if up {
		s, from = &c.up, fromClient
	}
	first := !s.heard
	s.heard = true
	s.bytes = append(s.bytes, b[:min(len(b), sniffBytes-len(s.bytes))]...)
	if up {
		s.protocol, more = recognize.FromClient(s.bytes)
	} else {
		s.protocol, more = recognize.FromServer(s.bytes)
		s.wantsTLS = recognize.WantsTLS(s.bytes)
		more = more || s.protocol == recognize.HTTP && c.mapping.TLS && !s.wantsTLS
	}
	if more = more && len(s.bytes) < sniffBytes; !more {
		s.bytes = nil
	}
	if first {
		c.ladder.add(from, say(wordFirstBytes, s.protocol), int64(len(b)))
	}
	return more
}

// ended is told of the end of one direction.
func (c *connection) ended(up bool) {
	if up {
		c.ladder.add(fromClient, say(wordEndOfStream), 0)
	} else {
		c.ladder.add(fromDevice, say(wordEndOfStream), 0)
	}
}

// nameProtocols puts into the entry what both sides spoke. With the TLS option the client's own protocol is TLS.
func (c *connection) nameProtocols() {
	if !c.mapping.TLS && c.up.protocol != recognize.Unknown {
		c.entry.Protocol = c.up.protocol.String()
	}
	if c.down.protocol != recognize.Unknown {
		c.entry.Device = c.down.protocol.String()
	}
}

func (c *connection) stallTime() time.Duration { return min(stallTime, c.relay.cfg.StallTimeout) }

// clientTLS tells whether the client spoke TLS to the device itself.
func (c *connection) clientTLS() bool { return !c.mapping.TLS && c.up.protocol == recognize.TLS }

// causeOfEnd is why a connection that reached the device was of no use; "" where it was, as far as can be seen from here.
func (c *connection) causeOfEnd(res splice.Result) Cause {
	clientTLS := c.clientTLS()
	deviceBroke := res.End == splice.TargetError
	deviceTLS := c.down.protocol == recognize.TLS || c.down.protocol == recognize.TLSAlert
	switch {
	case errors.Is(res.Err, errExpired):
		return CauseExpired
	case c.mapping.TLS && c.down.wantsTLS:
		return CauseDoubleTLS
	case clientTLS && c.down.heard && !deviceTLS:
		return CauseTLSOnPlaintext
	case deviceBroke && errors.Is(res.Err, syscall.ETIMEDOUT), res.Unsent > 0 && res.Quiet >= c.stallTime():
		return CauseStalled
	case clientTLS && !c.down.heard && res.End != splice.TargetClosed && res.End != splice.TargetError && res.Duration >= deafTime:
		return CauseTLSOnPlaintext
	case res.Down == 0 && (res.End == splice.TargetClosed || res.End == splice.TargetError):
		return CauseDeviceHungUp
	}
	return ""
}
