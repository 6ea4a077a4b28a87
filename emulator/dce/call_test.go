package dce

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"minato/agent/ppp"
)

// dial goes into data mode and gives the user's end of the PPP link.
func (u *user) dial(name, password string) *client {
	u.t.Helper()
	u.expect(`AT+CGDCONT=1,"IP","soracom.io"`, "\r\nOK\r\n")
	u.expect("ATD*99***1#", "\r\nCONNECT 150000000\r\n")
	return u.link(name, password)
}

// client is a PPP client on a user's port.
type client struct {
	*ppp.Conn
	port   *clientPort
	cancel context.CancelFunc
	done   chan error
}

func (u *user) link(name, password string) *client {
	ctx, cancel := context.WithCancel(context.Background())
	port := &clientPort{u: u, closed: make(chan struct{})}
	c := &client{Conn: ppp.New(port, ppp.Config{User: name, Password: password, RestartInterval: time.Second}), port: port, cancel: cancel, done: make(chan error, 1)}
	go func() { c.done <- c.Run(ctx) }()
	return c
}

func (c *client) awaitUp(t testing.TB) {
	t.Helper()
	select {
	case <-c.Ready():
	case err := <-c.done:
		t.Fatalf("the link ended: %v", err)
	case <-time.After(patience):
		t.Fatal("the link does not come up")
	}
}

func (c *client) awaitEnd(t testing.TB) error {
	t.Helper()
	defer c.cancel()
	select {
	case err := <-c.done:
		return err
	case <-time.After(patience):
		t.Fatal("the link does not end")
		return nil
	}
}

// clientPort is the user's end of the line in data mode: what the user's reader has gathered.
type clientPort struct {
	u      *user
	closed chan struct{}
}

func (p *clientPort) Read(b []byte) (int, error) {
	for {
		p.u.mu.Lock()
		n := copy(b, p.u.got)
		p.u.got = p.u.got[n:]
		p.u.mu.Unlock()
		if n > 0 {
			return n, nil
		}
		select {
		case <-p.u.more:
		case <-p.closed:
			return 0, io.EOF
		}
	}
}

func (p *clientPort) Write(b []byte) (int, error) { return p.u.conn.Write(b) }
func (p *clientPort) Close() error                { close(p.closed); return nil }

func (p *clientPort) Unread(b []byte) {
	p.u.mu.Lock()
	defer p.u.mu.Unlock()
	p.u.got = append(append([]byte(nil), b...), p.u.got...)
}

func TestCallEndsByTerminate(t *testing.T) {
	b := newBench(t, nil)
	u := b.ready("ppp")
	for range 3 {
		c := u.dial("sora", "sora")
		c.awaitUp(t)
		c.cancel()
		if err := c.awaitEnd(t); err != nil {
			t.Fatal(err)
		}
		u.await("\r\nNO CARRIER\r\n")
		select {
		case <-b.net.session().done:
		case <-time.After(patience):
			t.Fatal("the session outlived the call")
		}
		u.expect("AT", "\r\nOK\r\n")
	}
}

func TestCallEndsByNetwork(t *testing.T) {
	for _, tt := range []struct {
		name string
		do   func(b *bench)
		cgev string
		want error
	}{
		{"session closed", func(b *bench) { b.net.session().Close("x") }, "+CGEV: NW PDN DEACT 1", ppp.ErrPeerTerminated},
		{"deactivated", func(b *bench) { b.DeactivatePDN(1) }, "+CGEV: NW PDN DEACT 1", ppp.ErrPeerTerminated},
		{"detached", func(b *bench) { b.NetworkDetach(true) }, "+CGEV: NW DETACH", ppp.ErrPeerTerminated},
		{"carrier lost", func(b *bench) { b.DropCarrier() }, "", ppp.ErrNoCarrier}, // the default bearer stays
		{"SIM out", func(b *bench) { b.SetSIMInserted(false) }, "+CPIN: NOT READY", ppp.ErrPeerTerminated},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := newBench(t, nil)
			at := b.ready("at")
			at.expect("AT+CGEREP=2", "\r\nOK\r\n")
			u := b.user("ppp")
			u.expect("ATE0", "ATE0\r\r\nOK\r\n")
			c := u.dial("sora", "sora")
			c.awaitUp(t)
			tt.do(b)
			if tt.cgev != "" {
				at.await(tt.cgev + "\r\n")
			}
			if err := c.awaitEnd(t); !errors.Is(err, tt.want) {
				t.Errorf("the client's link ended with %v, want %v", err, tt.want)
			}
			<-b.net.session().Done()
			u.await("\r\nNO CARRIER\r\n")
			u.expect("AT", "\r\nOK\r\n")
		})
	}
}

func TestRejectedAPNIsNoCarrier(t *testing.T) {
	b := newBench(t, nil)
	u := b.ready("ppp")
	u.expect(`AT+CGDCONT=1,"IP","wrong"`, "\r\nOK\r\n")
	u.expect("ATD*99***1#", "\r\nCONNECT 150000000\r\n")
	c := u.link("sora", "sora")
	if err := c.awaitEnd(t); err == nil {
		t.Error("the link ended without an error")
	}
	u.await("\r\nNO CARRIER\r\n")
	u.expect("AT+CEER", "\r\n+CEER: unknown APN, cause 27\r\n\r\nOK\r\n")
}

func TestEscapeAndReturn(t *testing.T) {
	b := newBench(t, nil)
	u := b.ready("ppp")
	u.expect("ATS12=1", "\r\nOK\r\n")
	u.expect(`AT+CGDCONT=1,"IP","soracom.io"`, "\r\nOK\r\n")
	u.expect("ATD*99***1#", "\r\nCONNECT 150000000\r\n")
	// No PPP client speaks, so that only the escape is on the line. Its silence is repeated until the modem has seen it.
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	seen := make(chan struct{})
	go func() { u.await("\r\nOK\r\n"); close(seen) }()
	for done := false; !done; {
		select {
		case <-seen:
			done = true
		case <-tick.C:
			u.send("+++")
		}
	}
	u.send("ATE0\r") // what a repetition left on the command line goes with it
	u.await("OK\r\n")
	u.expect("ATD*99***1#", "\r\nERROR\r\n")
	u.expect(`AT+CGDATA="PPP",1`, "\r\n+CME ERROR: 3\r\n")
	u.expect("ATO", "\r\nCONNECT 150000000\r\n")
	b.DropCarrier()
	u.await("\r\nNO CARRIER\r\n")
	u.expect("ATO", "\r\nNO CARRIER\r\n")
}

func TestDialSyntax(t *testing.T) {
	for _, tt := range []struct{ dial, want string }{
		{"D*99#", "CONNECT"},
		{"D*99***1#", "CONNECT"},
		{"DT*99***1#", "CONNECT"},
		{"dp*99**PPP*1#", "CONNECT"},
		{"D*99**1*1#", "CONNECT"},
		{"D*98#", "CONNECT"},
		{"D *99 ***1#", "CONNECT"},
		{`+CGDATA="PPP",1`, "CONNECT"},
		{`+CGDATA`, "ERROR"},
		{`+CGDATA="M-HEX",1`, "+CME ERROR: 50"},
		{`+CGDATA="PPP",12`, "+CME ERROR: 50"},
		{"D*99***#", "NO CARRIER"},
		{"D*99", "NO CARRIER"},
		{"D", "NO CARRIER"},
		{"D112", "NO CARRIER"},
	} {
		t.Run(tt.dial, func(t *testing.T) {
			b := newBench(t, nil)
			u := b.ready("ppp")
			u.send("AT" + tt.dial + "\r")
			u.await("\r\n" + tt.want)
		})
	}
}

func TestResetDuringCall(t *testing.T) {
	b := newBench(t, nil)
	at := b.ready("at")
	u := b.user("ppp")
	u.expect("ATE0", "ATE0\r\r\nOK\r\n")
	c := u.dial("sora", "sora")
	c.awaitUp(t)
	at.expect("AT+CFUN=1,1", "\r\nOK\r\n")
	at.await("\r\n+QIND: PB DONE\r\n")
	c.cancel()
	c.awaitEnd(t)
	select {
	case <-b.net.session().done:
	case <-time.After(patience):
		t.Fatal("the session outlived the reset")
	}
	at.registered()
}

// TestStalledUser fills a port that nobody reads: the others must not notice, and the end must come.
func TestStalledUser(t *testing.T) {
	b := newBench(t, nil)
	stalled := b.ready("at")
	stalled.expect("AT+CEREG=2;+CGEREP=2", "\r\nOK\r\n")
	ours, theirs := net.Pipe()
	b.serves.Go(func() { b.Serve(b.ctx, theirs, "at"); theirs.Close() })
	b.awaitPorts(2)
	long := strings.Repeat("x", 1<<10)
	for range 2 * maxBacklog >> 10 {
		b.unsolicited(long)
	}
	if b.Status().Dropped == 0 {
		t.Error("nothing was dropped")
	}
	u := b.user("ppp")
	u.expect("ATE0+CSQ", "ATE0+CSQ\r\r\n+CSQ: 30,99\r\n\r\nOK\r\n")
	b.serves.Go(func() { <-b.ctx.Done(); ours.Close() })
}

// TestManyCalls dials, ends in each of the ways, and dials again on one port.
func TestManyCalls(t *testing.T) {
	b := newBench(t, nil)
	u := b.ready("ppp")
	ends := []func(c *client){
		func(c *client) { c.cancel() },
		func(*client) { b.DropCarrier() },
		func(*client) { b.net.session().Close("network") },
	}
	for i := range 60 {
		c := u.dial("sora", "sora")
		c.awaitUp(t)
		ends[i%len(ends)](c)
		c.awaitEnd(t)
		u.await("\r\nNO CARRIER\r\n")
	}
	if n := len(b.Status().Calls); n != 0 {
		t.Errorf("%d calls are left", n)
	}
}

// TestBareConnect: a u-blox modem does not tell the speed, as the log of a SARA-R5 has it (mbed-os issue 14510).
func TestBareConnect(t *testing.T) {
	_, u := withPersonality(t, "ublox-lara-r6")
	u.expect("ATD*99***1#", "\r\nCONNECT\r\n")
}
