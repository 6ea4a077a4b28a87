package cmux

import (
	"bytes"
	"context"
	"errors"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// uih is a frame on the control channel, or with data, in hex.
func uih(dlci byte, command bool, info string) string {
	return string(AppendFrame(nil, Frame{DLCI: dlci, Command: command, Type: UIH, Info: []byte(info)}))
}

// opened is a Mux whose peer is a script, with DLCI 1 open and MSC done.
func opened(t *testing.T, role Role) (*running, *script, *Channel) {
	t.Helper()
	a, b := line(t)
	s := newScript(t, b)
	r := start(t, a, Config{Role: role})
	if role == Responder {
		s.send("f9033f011cf9", "f9073f01def9")
		s.expect("f9037301d7f9", "f907730115f9", "f901ef09e305070d9af9")
		s.send("f903ef09e105070dfbf9")
		ch, err := r.Accept(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return r, s, ch
	}
	s.expect("f9033f011cf9")
	s.send("f9037301d7f9")
	open := make(chan *Channel)
	go func() {
		ch, err := r.Open(t.Context(), 1)
		if err != nil {
			t.Error(err)
		}
		open <- ch
	}()
	s.expect("f9073f01def9")
	s.send("f907730115f9", "f901ef09e305070d9af9") // as the modem of espressif/esp-protocols issue 140
	s.expect("f903ef09e305078dfbf9", "f903ef09e105070dfbf9")
	s.send("f901ef09e105078d9af9")
	return r, s, <-open
}

// finish ends a Mux whose peer is a script.
func finish(t *testing.T, r *running, s *script) {
	t.Helper()
	s.port.Conn.Close()
	<-r.result
}

func TestControlChannel(t *testing.T) {
	for _, tt := range []struct{ name, send, want string }{
		{name: "Test", send: uih(0, true, "\x23\x09ABCD"), want: uih(0, false, "\x21\x09ABCD")},
		{name: "PSC", send: uih(0, true, "\x43\x01"), want: uih(0, false, "\x41\x01")},
		{name: "MSC of an unknown channel", send: uih(0, true, "\xe3\x05\x53\x8d"), want: uih(0, false, "\xe1\x05\x53\x8d")},
		{name: "MSC with break", send: uih(0, true, "\xe3\x07\x07\x8d\x31"), want: uih(0, false, "\xe1\x07\x07\x8d\x31")},
		{name: "two in a frame", send: uih(0, true, "\x43\x01\x23\x03A"), want: uih(0, false, "\x41\x01") + uih(0, false, "\x21\x03A")},
		{name: "PN", send: uih(0, true, "\x83\x11\x02\x00\x07\x0a\x7f\x00\x03\x00"), want: uih(0, false, "\x81\x11\x02\x00\x07\x0a\x7f\x00\x03\x00")},
		{name: "PN, more than we take", send: uih(0, true, "\x83\x11\x02\x02\x07\x0a\x00\x7f\x03\x07"), want: uih(0, false, "\x81\x11\x02\x00\x07\x0a\x40\x06\x03\x00")},
		{name: "RPN is not supported", send: uih(0, true, "\x93\x03\x07"), want: uih(0, false, "\x11\x03\x93")},
		{name: "unknown type", send: uih(0, true, "\xff\x03\x07"), want: uih(0, false, "\x11\x03\xff")},
		{name: "SABM of an unwelcome channel", send: string(AppendFrame(nil, Frame{DLCI: 63, Command: true, Type: SABM, PF: true})), want: string(AppendFrame(nil, Frame{DLCI: 63, Command: true, Type: DM, PF: true}))},
		{name: "DISC of a closed channel", send: "\xf9\x0b\x53\x01\xb8\xf9", want: "\xf9\x0b\x1f\x01\x73\xf9"},
		{name: "data on a closed channel", send: uih(2, true, "AT\r"), want: "\xf9\x0b\x1f\x01\x73\xf9"},
		{name: "malformed: type", send: uih(0, true, "\x22\x01")},
		{name: "malformed: length", send: uih(0, true, "\x23\x09A")},
		{name: "malformed: MSC", send: uih(0, true, "\xe3\x03\x07")},
		{name: "malformed: PN", send: uih(0, true, "\x83\x05\x02\x00")},
		{name: "malformed: NSC", send: uih(0, true, "\x11\x01")},
		{name: "a response to nothing", send: uih(0, true, "\x21\x03A\xe1\x05\x07\x8d\xc1\x01")},
		{name: "UA and DM to nothing", send: "\xf9\x0b\x73\x01\x92\xf9\xf9\x0b\x1f\x01\x73\xf9"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r, s, ch := opened(t, Responder)
				send(t, s.port.Conn, []byte(tt.send))
				var got []byte
				synctest.Wait()
				for len(s.got) > 0 {
					got = AppendFrame(got, <-s.got)
				}
				// Our responses have the other C/R bit in the address than uih gives them here: all UIH frames are commands.
				if diff := cmp.Diff(withoutCR(tt.want), withoutCR(string(got))); diff != "" {
					t.Errorf("answer (-want +got):\n%s", diff)
				}
				s.send("f907ef05415430f9") // and the channel works
				expect(t, ch, []byte("AT"))
				finish(t, r, s)
			})
		})
	}
}

func withoutCR(line string) (frames []Frame) {
	for _, f := range decodeAll(NewDecoder(MaxInfo), []byte(line), len(line)+1) {
		if f.Type == UIH {
			f.Command = false
		}
		frames = append(frames, f)
	}
	return frames
}

func TestPeerHoldsAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, s, ch := opened(t, Initiator)
		s.send("f901ef05630193f9") // FCoff
		s.expect("f903ef056101f2f9")
		send(t, ch, []byte("AT"))
		s.quiet()
		s.send("f901ef05a30193f9") // FCon
		s.expect("f903ef05a101f2f9", "f907ef05415430f9")
		finish(t, r, s)
	})
}

func TestPeerHoldsChannel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, s, ch := opened(t, Initiator)
		s.send("f901ef09e305070f9af9") // FC
		s.expect("f903ef09e105070ffbf9")
		written := make(chan error, 1)
		go func() { _, err := ch.Write(make([]byte, 10000)); written <- err }()
		s.quiet()
		if err := ch.SetSignals(Signals{}); err != nil { // the control channel is not held
			t.Fatal(err)
		}
		s.expect("f903ef09e3050701fbf9")
		s.send("f901ef09e10507019af9")
		r.mu.Lock()
		if n := len(ch.out); n > turnSize {
			t.Errorf("%d octets queued", n)
		}
		r.mu.Unlock()
		go func() { // Close gives what waits up
			if err := ch.Close(); err != nil {
				t.Error(err)
			}
		}()
		if err := <-written; err == nil {
			t.Error("Write of a closed channel")
		}
		s.expect("f90753013ff9")
		s.send("f907730115f9")
		finish(t, r, s)
	})
}

func TestWeHoldThePeer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, s, ch := opened(t, Initiator)
		chunk := bytes.Repeat([]byte{0x55}, 1024)
		for range highWater / len(chunk) {
			send(t, s.port.Conn, []byte(uih(1, false, string(chunk))))
		}
		s.expect("f903ef09e305078ffbf9") // FC, and DV
		s.send("f901ef09e105078f9af9")   // confirmed, but the peer sends on
		for range maxBuffered / len(chunk) * 2 {
			send(t, s.port.Conn, []byte(uih(1, false, string(chunk))))
		}
		synctest.Wait()
		if s := r.Stats(); s.Overruns != highWater+maxBuffered || s.LongFrames == 0 {
			t.Errorf("%+v", s)
		}
		for range maxBuffered / len(chunk) {
			expect(t, ch, chunk)
		}
		s.expect("f903ef09e305078dfbf9")
		finish(t, r, s)
	})
}

// TestAwkwardPeer has what modems do that the standard does not.
func TestAwkwardPeer(t *testing.T) {
	for _, tt := range []struct {
		name, send string // hex
		want       string // on DLCI 1
	}{
		{name: "the host's own C/R", send: "f907ef05415430f9", want: "AT"},
		{name: "P set", send: "f905ff054f4b44f9", want: "OK"},
		{name: "two octets of length for short frames", send: "f905ef04004f4ba0f9", want: "OK"},
		{name: "no information", send: "f905ef0156f9f905ef034fb5f9", want: "O"},
		{name: "text between frames", send: "f905ef034fb5f9" + "0d0a5244590d0a" + "f905ef034bb5f9", want: "OK"},
		{name: "zeros and flags between frames", send: "f905ef034fb5f90000f9f9f900f905ef034bb5f9", want: "OK"},
		{name: "a frame cut short", send: "f905ef094f4bf9" + "f905ef034fb5f9f905ef034bb5f9", want: "OK"},
		{name: "a header with a bad FCS", send: "f905ef054f4b00f9" + "f905ef034fb5f9", want: "O"},
		{name: "UI", send: "f90503034f86f9", want: "O"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, split := range []bool{false, true} {
				synctest.Test(t, func(t *testing.T) {
					r, s, ch := opened(t, Initiator)
					p := unhex(t, tt.send)
					if split { // header and payload come apart, as with SIM7600
						for _, b := range p {
							send(t, s.port.Conn, []byte{b})
						}
					} else {
						send(t, s.port.Conn, p)
					}
					expect(t, ch, []byte(tt.want))
					s.quiet()
					finish(t, r, s)
				})
			}
		})
	}
}

func TestNegotiation(t *testing.T) {
	for _, tt := range []struct {
		name, answer string
		want         int
	}{
		{name: "agreed", answer: uih(0, false, "\x81\x11\x01\x00\x07\x1e\xdc\x05\x03\x00"), want: 1500},
		{name: "less", answer: uih(0, false, "\x81\x11\x01\x00\x07\x1e\x40\x00\x03\x00"), want: 64},
		{name: "more than asked", answer: uih(0, false, "\x81\x11\x01\x00\x07\x1e\xff\xff\x03\x00"), want: 1500},
		{name: "not supported", answer: uih(0, false, "\x11\x03\x83"), want: 31},
		{name: "no answer", want: 31},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a, b := line(t)
				s := newScript(t, b)
				r := start(t, a, Config{Negotiate: 1500, N2: -1})
				s.expect("f9033f011cf9")
				s.send("f9037301d7f9")
				open := make(chan *Channel)
				go func() {
					ch, err := r.Open(t.Context(), 1)
					if err != nil {
						t.Error(err)
					}
					open <- ch
				}()
				s.expect("f903ef1583110100071edc050000eef9")
				if tt.answer != "" {
					send(t, s.port.Conn, []byte(tt.answer))
				}
				s.expect("f9073f01def9")
				s.send("f907730115f9")
				if n1 := (<-open).N1(); n1 != tt.want {
					t.Errorf("N1 %d, want %d", n1, tt.want)
				}
				finish(t, r, s)
			})
		})
	}
}

func TestNegotiationPair(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, m, at, peer := pair(t, Config{Negotiate: 512}, Config{})
		defer stop(t, m, h)
		if at.N1() != 512 || peer.N1() != 512 {
			t.Errorf("N1 %d and %d", at.N1(), peer.N1())
		}
	})
}

func TestPing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, m, _, _ := pair(t, Config{}, Config{})
		if err := h.Ping(t.Context()); err != nil {
			t.Error(err)
		}
		stop(t, m) // the modem is gone, and says nothing
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := h.Ping(ctx); err == nil {
			t.Error("a modem that is gone answers")
		}
		stop(t, h)
	})
	synctest.Test(t, func(t *testing.T) { // a modem that was reset, and echoes what it takes for a command
		a, b := line(t)
		m, h := start(t, b, Config{Role: Responder}), start(t, a, Config{})
		openChannel(t, h, m, 1)
		stop(t, m)
		b.SetDeadline(time.Time{})
		go io.Copy(b.Conn, b.Conn)
		if err := h.Ping(t.Context()); !errors.Is(err, ErrNoAnswer) {
			t.Errorf("an echo answers: %v", err)
		}
		stop(t, h)
		b.Close()
		b.Conn.Close()
	})
	synctest.Test(t, func(t *testing.T) { // two at once, and a peer that does not know Test
		r, s, _ := opened(t, Initiator)
		done := make(chan error, 2)
		for range 2 {
			go func() { done <- r.Ping(t.Context()) }()
		}
		synctest.Wait()
		send(t, s.port.Conn, []byte(uih(0, false, "\x11\x03\x23")))
		for range 2 {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
		finish(t, r, s)
	})
}
