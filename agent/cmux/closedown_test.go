package cmux

import (
	"errors"
	"io"
	"testing"
	"testing/synctest"
	"time"
)

// atExchange shows that the line is in command mode: what one end writes the other reads as it is.
func atExchange(t *testing.T, host, modem *testPort) {
	t.Helper()
	for _, p := range []*testPort{host, modem} {
		p.SetDeadline(time.Time{})
	}
	go host.Write([]byte("AT\r"))
	expect(t, modem, []byte("AT\r"))
	go modem.Write([]byte("OK\r"))
	expect(t, host, []byte("OK\r"))
}

func TestCloseDown(t *testing.T) {
	for _, tt := range []struct {
		name              string
		lose              func([]byte) bool // of what the closing end writes
		byModem, byCancel bool
	}{
		{name: "by the initiator"},
		{name: "by the responder", byModem: true},
		{name: "by cancelling the initiator", byCancel: true},
		{name: "CLD is lost", lose: func() func(p []byte) bool {
			lost := 0
			return func(p []byte) bool {
				if len(p) > 4 && p[4] == byte(msgCLD)|cr && lost < 2 {
					lost++
					return true
				}
				return false
			}
		}()},
		{name: "CLD never arrives, DISC does", lose: func(p []byte) bool { return len(p) > 4 && p[4] == byte(msgCLD)|cr }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a, b := line(t)
				for range 3 { // and again after each
					m, h := start(t, b, Config{Role: Responder}), start(t, a, Config{})
					at, peer := openChannel(t, h, m, 1)
					send(t, at, []byte("AT\r"))
					expect(t, peer, []byte("AT\r"))
					closer, other, port := h, m, a
					if tt.byModem {
						closer, other, port = m, h, b
					}
					port.mu.Lock()
					port.lose = tt.lose
					port.mu.Unlock()
					if tt.byCancel {
						h.cancel()
					} else if err := closer.Close(); err != nil {
						t.Errorf("Close: %v", err)
					}
					if err := <-closer.result; err != nil {
						t.Errorf("Run where it was closed: %v", err)
					}
					if err := <-other.result; !errors.Is(err, ErrPeerClosed) {
						t.Errorf("Run of the other: %v", err)
					}
					for _, ch := range []*Channel{at, peer} {
						if _, err := ch.Read(make([]byte, 1)); err != io.EOF {
							t.Errorf("a channel reads %v", err)
						}
						if _, err := ch.Write([]byte("x")); err == nil {
							t.Error("a channel writes")
						}
					}
					if _, err := h.Open(t.Context(), 2); err == nil {
						t.Error("Open after the end")
					}
					if _, err := m.Accept(t.Context()); err == nil {
						t.Error("Accept after the end")
					}
					atExchange(t, a, b)
				}
				if a.unread()+b.unread() != "" {
					t.Errorf("given back %q and %q", a.unread(), b.unread())
				}
			})
		})
	}
}

func TestBothClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, m, _, _ := pair(t, Config{}, Config{})
		done := make(chan error, 1)
		go func() { done <- m.Close() }()
		if err := h.Close(); err != nil && !errors.Is(err, ErrPeerClosed) {
			t.Error(err)
		}
		if err := <-done; err != nil && !errors.Is(err, ErrPeerClosed) {
			t.Error(err)
		}
		stop(t, m, h)
	})
}

// TestRemainder has the modem say something in the same breath as the close-down.
func TestRemainder(t *testing.T) {
	const text = "\r\nOK\r\n+CREG: 1\r\n"
	for _, byPeer := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			a, b := line(t)
			s := newScript(t, b)
			h := start(t, a, Config{})
			s.expect("f9033f011cf9")
			s.send("f9037301d7f9")
			<-h.Ready()
			if byPeer {
				send(t, b.Conn, append(unhex(t, "f901ef05c30193f9f9"), text...))
				s.expect("f903ef05c101f2f9")
				if err := <-h.result; !errors.Is(err, ErrPeerClosed) {
					t.Error(err)
				}
			} else {
				go h.Close()
				s.expect("f903ef05c301f2f9")
				send(t, b.Conn, append(unhex(t, "f901ef05c10193f9"), text...))
				if err := <-h.result; err != nil {
					t.Error(err)
				}
			}
			if a.unread() != text {
				t.Errorf("given back %q, want %q", a.unread(), text)
			}
			b.Close()
		})
	}
}

// TestNoWayOut is a modem that leaves the multiplexer only by a reset.
func TestNoWayOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := line(t)
		s := newScript(t, b)
		h := start(t, a, Config{N2: 1})
		s.expect("f9033f011cf9")
		s.send("f9037301d7f9")
		<-h.Ready()
		if err := h.Close(); !errors.Is(err, ErrNoAnswer) {
			t.Errorf("Close: %v", err)
		}
		if err := <-h.result; !errors.Is(err, ErrNoAnswer) {
			t.Errorf("Run: %v", err)
		}
		s.expect("f903ef05c301f2f9", "f903ef05c301f2f9", "f9035301fdf9", "f9035301fdf9")
		b.Close()
	})
}

func TestLineLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := line(t)
		m, h := start(t, b, Config{Role: Responder}), start(t, a, Config{})
		at, _ := openChannel(t, h, m, 1)
		b.Conn.Close()
		if err := <-h.result; err == nil || errors.Is(err, ErrPeerClosed) {
			t.Errorf("Run: %v", err)
		}
		if _, err := at.Read(make([]byte, 1)); err == nil || errors.Is(err, io.EOF) && err == io.EOF {
			t.Errorf("Read: %v", err)
		}
		stop(t, m, h)
	})
}

// TestStuckLine is a peer that reads nothing: the end must not wait for it.
func TestStuckLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, _ := line(t)
		h := start(t, a, Config{})
		synctest.Wait()
		stop(t, h)
		if err := <-h.result; err != nil {
			t.Error(err)
		}
		if err := h.Run(t.Context()); !errors.Is(err, ErrClosed) {
			t.Errorf("Run again: %v", err)
		}
	})
}

func TestPeerRestarts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := line(t)
		s := newScript(t, a)
		m := start(t, b, Config{Role: Responder})
		open := func() *Channel {
			s.send("f9033f011cf9", "f9073f01def9")
			s.expect("f9037301d7f9", "f907730115f9", "f901ef09e305070d9af9")
			s.send("f903ef09e105070dfbf9")
			ch, err := m.Accept(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			return ch
		}
		first := open()
		s.send("f907ef05415430f9")
		expect(t, first, []byte("AT"))
		second := open() // as a host that was reset
		if _, err := first.Read(make([]byte, 1)); err != io.EOF {
			t.Errorf("the old channel reads %v", err)
		}
		s.send("f907ef05415430f9")
		expect(t, second, []byte("AT"))
		stop(t, m)
		a.Close()
		a.Conn.Close()
	})
}

// TestCrossedCloseDown has both CLD on the line at once: each is answered, and what follows the answer to ours is AT's.
func TestCrossedCloseDown(t *testing.T) {
	for _, answered := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			a, b := line(t)
			s := newScript(t, b)
			h := start(t, a, Config{N2: -1})
			s.expect("f9033f011cf9")
			s.send("f9037301d7f9")
			<-h.Ready()
			closed := make(chan error, 1)
			go func() { closed <- h.Close() }()
			s.expect("f903ef05c301f2f9")
			s.send("f901ef05c30193f9")
			s.expect("f903ef05c101f2f9")
			want := ""
			if answered {
				want = "\r\nOK\r\n"
				send(t, b.Conn, append(unhex(t, "f901ef05c10193f9"), want...))
			}
			if err := errors.Join(<-closed, <-h.result); err != nil {
				t.Error(err)
			}
			if a.unread() != want {
				t.Errorf("given back %q, want %q", a.unread(), want)
			}
			b.Close()
		})
	}
}
