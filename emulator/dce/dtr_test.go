package dce

import (
	"os"
	"path/filepath"
	"testing"

	"minato/emulator/pty"
)

// terminal is a user of a port on a pseudo-terminal, without echo, and the terminal itself.
func (b *bench) terminal(name string) (*user, *os.File) {
	b.t.Helper()
	port, err := pty.Open(filepath.Join(b.t.TempDir(), name))
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { port.Close() })
	b.serves.Go(func() { b.Serve(b.ctx, port, name) })
	tty, err := os.OpenFile(port.Name(), os.O_RDWR, 0)
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { tty.Close() })
	u := &user{t: b.t, conn: ttyConn{File: tty}, more: make(chan struct{}, 1)}
	b.serves.Go(u.read)
	u.expect("ATE0", "ATE0\r\r\nOK\r\n")
	return u, tty
}

// TestDTROfATerminal drops DTR in a call in the two ways that a terminal has: what &D says happens, and the port shows it.
func TestDTROfATerminal(t *testing.T) {
	closes := func(t *testing.T, tty *os.File) { tty.Close() }
	b0 := func(t *testing.T, tty *os.File) { setSpeed(t, tty, 0) }
	for _, tt := range []struct {
		name  string
		setup string
		drop  func(t *testing.T, tty *os.File)
		state string
		said  string // to a user who is still there
	}{
		{"close, &D0", "&D0", closes, "data", ""},
		{"close, &D1", "&D1", closes, "onlineCommand", ""},
		{"close, &D2", "&D2", closes, "command", ""},
		{"B0, &D0", "&D0", b0, "data", ""},
		{"B0, &D1", "&D1", b0, "onlineCommand", "\r\nOK\r\n"},
		{"B0, &D2", "&D2", b0, "command", "\r\nNO CARRIER\r\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := newBench(t, nil)
			b.ready("at")
			u, tty := b.terminal("ppp")
			u.expect("AT"+tt.setup+`;+CGDCONT=1,"IP","soracom.io"`, "\r\nOK\r\n")
			u.expect("ATD*99#", "\r\nCONNECT 150000000\r\n")
			b.portIs("ppp", func(s PortStatus) bool { return s.DTR && s.State == "data" })
			tt.drop(t, tty)
			b.portIs("ppp", func(s PortStatus) bool { return !s.DTR && s.State == tt.state })
			if tt.said == "" {
				return
			}
			u.await(tt.said)
			setSpeed(t, tty, 115200)
			u.expect("ATH", "\r\nOK\r\n")
			b.portIs("ppp", func(s PortStatus) bool { return s.DTR && s.State == "command" })
		})
	}
}

// TestDTRComesBack is a call that outlives B0.
func TestDTRComesBack(t *testing.T) {
	b := newBench(t, nil)
	b.ready("at")
	u, tty := b.terminal("ppp")
	u.expect(`AT&D0;+CGDCONT=1,"IP","soracom.io"`, "\r\nOK\r\n")
	u.expect("ATD*99#", "\r\nCONNECT 150000000\r\n")
	for range 2 {
		setSpeed(t, tty, 0)
		b.portIs("ppp", func(s PortStatus) bool { return !s.DTR && s.State == "data" })
		setSpeed(t, tty, 115200)
		b.portIs("ppp", func(s PortStatus) bool { return s.DTR && s.State == "data" })
	}
	b.DropCarrier()
	u.await("\r\nNO CARRIER\r\n")
}

// TestDTRIsOffBeforeTheCall is a fall between the command and the call, or before: &D1 holds for it as &D2 does.
func TestDTRIsOffBeforeTheCall(t *testing.T) {
	b := newBench(t, nil)
	u := b.ready("ppp")
	u.expect(`AT&D1;+CGDCONT=1,"IP","soracom.io"`, "\r\nOK\r\n")
	if err := b.SetLines("ppp", LineChange{DTR: no()}); err != nil {
		t.Fatal(err)
	}
	u.expect("ATD*99#", "\r\nCONNECT 150000000\r\n")
	u.await("\r\nOK\r\n")
	b.portIs("ppp", func(s PortStatus) bool { return !s.DTR && s.State == "onlineCommand" })
}

// TestDTRFallsInOnlineCommandState has nothing to leave: &D1 is not kept for the next data state.
func TestDTRFallsInOnlineCommandState(t *testing.T) {
	b := newBench(t, nil)
	b.air.mute.Store(true) // the PPP server's frames have no place in what follows
	u := b.ready("ppp")
	u.expect(`AT&D1;+CGDCONT=1,"IP","soracom.io"`, "\r\nOK\r\n")
	u.expect("ATD*99#", "\r\nCONNECT 150000000\r\n")
	move := func(on *bool) {
		t.Helper()
		if err := b.SetLines("ppp", LineChange{DTR: on}); err != nil {
			t.Fatal(err)
		}
	}
	move(no())
	u.await("\r\nOK\r\n")
	move(yes())
	move(no())
	move(yes())
	u.expect("ATO", "\r\nCONNECT 150000000\r\n")
	b.DropCarrier()
	if got := u.await("NO CARRIER\r\n"); got != "\r\nNO CARRIER\r\n" {
		t.Errorf("the resumed call gave %q", got)
	}
}
