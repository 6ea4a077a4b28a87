package dce

import (
	"context"
	"net"
	"testing"
	"time"

	"minato/agent/cmux"
)

// muxUser goes into multiplexer mode and gives the user's end.
func (u *user) multiplex(command string) (*cmux.Mux, chan error) {
	u.t.Helper()
	u.expect(command, "\r\nOK\r\n")
	mux := cmux.New(&clientPort{u: u, closed: make(chan struct{})}, cmux.Config{Role: cmux.Initiator, N1: 31})
	ctx, cancel := context.WithCancel(context.Background())
	u.t.Cleanup(cancel) // of a test that failed
	ended := make(chan error, 1)
	go func() { ended <- mux.Run(ctx) }()
	return mux, ended
}

// channel makes a user of a channel.
func (b *bench) channel(mux *cmux.Mux, dlci byte) *user {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	ch, err := mux.Open(ctx, dlci)
	if err != nil {
		b.t.Fatal(err)
	}
	u := &user{t: b.t, conn: channelConn{ch}, more: make(chan struct{}, 1)}
	b.serves.Go(u.read)
	u.send("ATE0\r")
	u.await("OK\r\n")
	return u
}

// channelConn makes a net.Conn of a channel.
type channelConn struct{ *cmux.Channel }

func (channelConn) LocalAddr() net.Addr              { return nil }
func (channelConn) RemoteAddr() net.Addr             { return nil }
func (channelConn) SetDeadline(time.Time) error      { return nil }
func (channelConn) SetReadDeadline(time.Time) error  { return nil }
func (channelConn) SetWriteDeadline(time.Time) error { return nil }

func TestMultiplexer(t *testing.T) {
	b := newBench(t, nil)
	u := b.ready("at")
	u.expect("AT+CMUX=?", "\r\n+CMUX: (0),(0),(1-8),(1-1509),(1-255),(0-100),(2-255),(1-255),(1-7)\r\n\r\nOK\r\n")
	for _, wrong := range []string{"AT+CMUX=1", "AT+CMUX=0,1", "AT+CMUX=0,0,5,9999", "AT+CMUX=", "AT+CMUX=0,0,9"} {
		u.expect(wrong, "\r\n+CME ERROR: 50\r\n")
	}
	u.expect("AT+CMUX?", "\r\n+CMUX: 0,0,5,127,10,3,30,10,2\r\n\r\nOK\r\n")
	u.expect("AT+CEREG=1", "\r\nOK\r\n")
	mux, ended := u.multiplex("AT+CMUX=0,0,5,31,10,3,30,10,2")
	one, two := b.channel(mux, 1), b.channel(mux, 2)
	one.expect("AT+CMUX?", "\r\n+CMUX: 0,0,5,31,10,3,30,10,2\r\n\r\nOK\r\n")
	one.expect("AT+CMUX=0", "\r\n+CME ERROR: 3\r\n")
	b.portIs("at", func(s PortStatus) bool { return s.State == "cmux" })
	b.portIs("at.1", func(s PortStatus) bool { return s.State == "command" && s.DTR })

	// A call on one channel, commands on the other.
	c := two.dial("sora", "sora")
	c.awaitUp(t)
	b.portIs("at.2", func(s PortStatus) bool { return s.State == "data" && s.DCD })
	one.expect("AT+CGACT?", "\r\n+CGACT: 1,1\r\n+CGACT: 2,0\r\n+CGACT: 3,0\r\n\r\nOK\r\n")
	if calls := b.Status().Calls; len(calls) != 1 || calls[0].Port != "at.2" {
		t.Errorf("calls %+v", calls)
	}
	b.DenyRegistration(true)
	one.await("\r\n+CEREG: 3\r\n")
	c.awaitEnd(t)
	two.await("\r\nNO CARRIER\r\n")
	b.DenyRegistration(false)
	one.await("\r\n+CEREG: 1\r\n")
	two.await("\r\n+CEREG: 1\r\n")

	// DTR of a channel.
	two.expect("AT&D2;D*99#", "\r\nCONNECT 150000000\r\n")
	if err := two.conn.(channelConn).SetSignals(cmux.Signals{RTR: true, DV: true}); err != nil {
		t.Fatal(err)
	}
	two.await("\r\nNO CARRIER\r\n")

	// A fifth channel is too many.
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if _, err := mux.Open(ctx, 5); err == nil {
		t.Error("five channels")
	}
	if err := mux.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
	u.expect("AT+CMUX?", "\r\n+CMUX: 0,0,5,127,10,3,30,10,2\r\n\r\nOK\r\n")

	// And again, ended by a reset.
	mux, ended = u.multiplex("AT+CMUX=0")
	one = b.channel(mux, 1)
	one.send("AT+CFUN=1,1\r")
	one.await("OK\r\n")
	b.statusIs(func(s Status) bool { return len(s.Ports) == 1 && s.Ports[0].State == "command" && !s.Booting })
	go mux.Close() // nobody answers any more
	<-ended
}

// TestMultiplexerForGood is a modem that stays in the mode: it can be opened again.
func TestMultiplexerForGood(t *testing.T) {
	p, err := LoadPersonality("simcom-sim7080")
	if err != nil {
		t.Fatal(err)
	}
	b := newBench(t, func(c *Config) { c.Personality = p })
	u := b.ready("at")
	mux, ended := u.multiplex("AT+CMUX=0")
	b.channel(mux, 1).expect("AT+CGMM", "\r\nSIMCOM_SIM7080\r\n\r\nOK\r\n")
	if err := mux.Close(); err != nil {
		t.Fatal(err)
	}
	<-ended
	mux = cmux.New(&clientPort{u: u, closed: make(chan struct{})}, cmux.Config{Role: cmux.Initiator, N1: 31})
	go func() { ended <- mux.Run(context.Background()) }()
	b.channel(mux, 1).expect("AT+CGMM", "\r\nSIMCOM_SIM7080\r\n\r\nOK\r\n")
	b.portIs("at", func(s PortStatus) bool { return s.State == "cmux" })
	mux.Close()
	<-ended
}

// TestMultiplexedCarrier is a call on a channel that the user ends: the carrier outlives the Terminate-Ack, so that a host which hangs the
// terminal up when DCD falls has read it; and it falls at once for a user who hangs up.
func TestMultiplexedCarrier(t *testing.T) {
	b := newBench(t, nil)
	u := b.ready("at")
	mux, ended := u.multiplex("AT+CMUX=0")
	two := b.channel(mux, 2)
	carrier := func(s PortStatus) bool { return s.State == "data" && s.DCD }
	two.expect("AT&C1&D2", "\r\nOK\r\n")
	b.carrierHold = time.Hour
	c := two.dial("sora", "sora")
	c.awaitUp(t)
	c.cancel()
	if err := c.awaitEnd(t); err != nil { // it has the Terminate-Ack
		t.Fatal(err)
	}
	select {
	case <-b.net.session().done:
	case <-time.After(patience):
		t.Fatal("the session outlived the link")
	}
	b.portIs("at.2", carrier)
	two.mu.Lock()
	if len(two.got) > 0 {
		t.Errorf("told before its time: %q", two.got)
	}
	two.mu.Unlock()
	dtr := func(on bool) {
		if err := two.conn.(channelConn).SetSignals(cmux.Signals{RTC: on, RTR: true, DV: true}); err != nil {
			t.Fatal(err)
		}
		b.portIs("at.2", func(s PortStatus) bool { return s.DTR == on })
	}
	dtr(false)
	two.await("\r\nNO CARRIER\r\n")
	b.portIs("at.2", func(s PortStatus) bool { return s.State == "command" && !s.DCD })
	dtr(true)

	b.carrierHold = carrierHold
	c = two.dial("sora", "sora")
	c.awaitUp(t)
	c.cancel()
	if err := c.awaitEnd(t); err != nil {
		t.Fatal(err)
	}
	two.await("\r\nNO CARRIER\r\n")
	mux.Close()
	<-ended
}

// TestMultiplexerUnread is a modem that has nothing to say of a multiplexer before there is one.
func TestMultiplexerUnread(t *testing.T) {
	for _, name := range []string{"ublox-lara-r6", "huawei-ms2372"} {
		p, err := LoadPersonality(name)
		if err != nil {
			t.Fatal(err)
		}
		u := newBench(t, func(c *Config) { c.Personality = p }).ready("at")
		u.expect("AT+CMEE=1;+CMUX?", "\r\n+CME ERROR: 3\r\n")
	}
}
