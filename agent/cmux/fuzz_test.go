package cmux

import (
	"context"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"
)

// FuzzResponder and FuzzInitiator are whole ends whose peer says anything at all: nothing hangs, panics or grows.
func FuzzResponder(f *testing.F) { fuzzMux(f, Responder) }
func FuzzInitiator(f *testing.F) { fuzzMux(f, Initiator) }

func fuzzMux(f *testing.F, role Role) {
	const opening = "\xf9\x03\x3f\x01\x1c\xf9\xf9\x07\x3f\x01\xde\xf9" + "\xf9\x03\x73\x01\xd7\xf9\xf9\x07\x73\x01\x15\xf9"
	f.Add([]byte(opening), uint8(10))
	for _, g := range goldenFrames(f) {
		f.Add([]byte(opening+string(g.line)+opening), uint8(255))
	}
	f.Add([]byte(opening+uih(0, true, "\x83\x11\x02\x00\x07\x0a\x7f\x00\x03\x00\x23\x09ABCD\xff\x01")+uih(1, true, "AT\r")), uint8(7))
	f.Fuzz(func(t *testing.T, said []byte, size uint8) {
		synctest.Test(t, func(t *testing.T) {
			a, b := net.Pipe()
			defer a.Close()
			defer b.Close()
			m := New(a, Config{Role: role, Negotiate: 64})
			ctx, cancel := context.WithCancel(t.Context())
			result := make(chan error, 1)
			go func() { result <- m.Run(ctx) }()
			use := func(ch *Channel) {
				go io.Copy(io.Discard, ch)
				go ch.Write(make([]byte, 100))
				ch.SetSignals(Signals{IC: true})
			}
			if role == Responder {
				go func() {
					for {
						ch, err := m.Accept(ctx)
						if err != nil {
							return
						}
						go use(ch)
					}
				}()
			} else {
				go func() {
					if ch, err := m.Open(ctx, 1); err == nil {
						use(ch)
					}
				}()
			}
			go io.Copy(io.Discard, b)
			go func() {
				for p := said; len(p) > 0; {
					n := min(int(size)+1, len(p))
					if _, err := b.Write(p[:n]); err != nil {
						return
					}
					p = p[n:]
				}
			}()
			synctest.Wait()
			m.mu.Lock()
			if len(m.exchanges) > 3*len(m.channels) || len(m.control) > maxControl {
				t.Errorf("%d exchanges, %d octets to say", len(m.exchanges), len(m.control))
			}
			for _, ch := range m.channels {
				if ch != nil && (len(ch.in) > maxBuffered || len(ch.out) > turnSize) {
					t.Errorf("%d and %d octets queued", len(ch.in), len(ch.out))
				}
			}
			m.mu.Unlock()
			<-time.After(time.Minute) // of the bubble's clock: all repetitions
			cancel()
			<-result
		})
	})
}
