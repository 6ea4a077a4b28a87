package ppp

import (
	"context"
	"io"
	"testing"

	"minato/agent/ppp/hdlc"
)

// FuzzLink: whatever packets come, in whatever order, neither end of a link panics, and what it says are good frames.
func FuzzLink(f *testing.F) {
	protocols := []Protocol{ProtoLCP, ProtoIPCP, ProtoPAP, ProtoCHAP, ProtoIPv4, ProtoCCP}
	ack := []byte{0, 24, 2, 0, 0, 24, 2, 6, 0, 0, 0, 0, 5, 6, 0, 0, 0, 7, 7, 2, 8, 2, 0, 0, 0, 0}
	f.Add(ack, byte(0))
	f.Add([]byte("\x00\x08\x01\x01\x00\x08\x05\x06\x00\x00\x01\x0a\x01\x01\x00\x0a\x03\x06\x00\x00\x00\x00"), byte(2))
	f.Add([]byte("\x00\x04\x05\x01\x00\x04\x00\x06\x08\x01\x00\x06\x80\x21"), byte(1))
	f.Fuzz(func(t *testing.T, script []byte, role byte) {
		cfg := Config{User: "u", Password: "p"}
		if role%4 > 0 {
			cfg.Server = &Server{Auth: AuthProtocol(role%4 - 1), Activate: func(context.Context, Credentials) (Lease, error) {
				return Lease{}, io.EOF
			}}
		}
		c := New(nil, cfg)
		l := newLink(c.cfg, c.out, c.in, &c.stats, func() uint32 { return 7 }, c.opened)
		defer l.stopTimers()
		l.start()
		for len(script) >= 2 && !l.finished {
			n := min(int(script[1]), len(script)-2)
			l.receive(t.Context(), received{protocols[int(script[0])%len(protocols)], script[2 : 2+n]})
			script = script[2+n:]
			l.settle()
		}
		if l.bearer != nil {
			l.bearer.wait()
		}
		d := hdlc.NewDecoder(4096)
		for _, q := range c.out.queue {
			good := d.Counters.Good
			d.Decode(q.frame, func([]byte) {})
			if q.then == nil && d.Counters.Good != good+1 {
				t.Fatalf("we would send %x: %+v", q.frame, d.Counters)
			}
		}
	})
}
