package dce

import (
	"context"
	"testing"
	"time"
)

// TestEffectsFollowTheirAnswer: what a command brings about is told behind the command's echo and its result, in every state of the line.
func TestEffectsFollowTheirAnswer(t *testing.T) {
	b := newBench(t, nil)
	u := b.ready("at")
	u.expect(`AT+CGDCONT=2,"IP","soracom.io";+CGEREP=2;+CEREG=1;E1`, "\r\nOK\r\n")
	for _, tt := range []struct{ command, effect string }{
		{"AT+CGACT=1,2", "\r\n+CGEV: ME PDN ACT 2\r\n"},
		{"AT+CGACT=0", "\r\n+CGEV: ME PDN DEACT 2\r\n"},
		{"AT+CFUN=4", "\r\n+CGEV: ME DETACH\r\n\r\n+CEREG: 0\r\n"},
		{"AT+CFUN=1", "\r\n+CEREG: 2\r\n\r\n+CGEV: ME PDN ACT 1\r\n\r\n+CEREG: 1\r\n"},
		{"AT+COPS=2", "\r\n+CGEV: ME DETACH\r\n\r\n+CEREG: 0\r\n"},
	} {
		u.expect(tt.command, tt.command+"\r\r\nOK\r\n"+tt.effect)
	}
	u.send("AT+COPS=0\rAT+CGMI\r") // two lines at once: each with its own
	u.await("AT+COPS=0\r\r\nOK\r\n")
	u.await("AT+CGMI\r\r\nQuectel\r\n\r\nOK\r\n")
}

// TestResultsWaitForTheAnswer: what happens while a command takes its time is told behind its result, and its echo does not wait.
func TestResultsWaitForTheAnswer(t *testing.T) {
	b := newBench(t, nil)
	u := b.ready("at")
	begun, goOn := make(chan struct{}), make(chan struct{})
	b.table["+CTEST"] = &command{name: "+CTEST", exec: func(x *exchange) result {
		x.info("+CTEST: 1")
		x.flush()
		close(begun)
		<-goOn
		return resultOK
	}}
	u.expect("ATE1", "\r\nOK\r\n")
	u.send("AT+CTEST\r")
	u.await("AT+CTEST\r")
	<-begun
	b.unsolicited("+CUNASKED")
	close(goOn)
	const want = "\r\n+CTEST: 1\r\n\r\nOK\r\n\r\n+CUNASKED\r\n"
	if got := u.await("+CUNASKED\r\n"); got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// TestFaultsKeepTheOrder: an answer that a fault holds back still comes before its effects.
func TestFaultsKeepTheOrder(t *testing.T) {
	b := newBench(t, nil)
	u := b.ready("at")
	u.expect("AT+CEREG=1", "\r\nOK\r\n")
	remove := b.Hook(Hook{Reply: func(_ context.Context, _ PortRef, _ string, reply []byte) []byte {
		b.unsolicited("+CUNASKED")
		return reply
	}})
	defer remove()
	u.expect("AT+CFUN=4", "\r\nOK\r\n\r\n+CEREG: 0\r\n\r\n+CUNASKED\r\n")
}

// TestResultsOfACall: what waited in data mode is told when command state begins, and NO CARRIER waits as all else does.
func TestResultsOfACall(t *testing.T) {
	b := newBench(t, nil)
	b.air.mute.Store(true) // the PPP server's frames have no place in what follows
	u := b.ready("ppp")
	b.table["+CTEST"] = &command{name: "+CTEST", exec: func(*exchange) result { b.DropCarrier(); return resultOK }}
	u.expect(`AT+QURCCFG="urcport","all";E1`, "\r\nOK\r\n")
	u.expect("ATD*99***1#", "ATD*99***1#\r\r\nCONNECT 150000000\r\n")
	escapeNow(b.awaitOnline("ppp"))
	u.await("\r\nOK\r\n")
	u.expect("ATO", "ATO\r\r\nCONNECT 150000000\r\n")
	c := b.awaitOnline("ppp")
	b.unsolicited("+CUNASKED")
	escapeNow(c)
	if got, want := u.await("+CUNASKED\r\n"), "\r\nOK\r\n\r\n+CUNASKED\r\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	u.expect("AT+CTEST", "AT+CTEST\r\r\nOK\r\n\r\nNO CARRIER\r\n")
}

// escapeNow goes to online command state.
func escapeNow(c *call) {
	c.p.mu.Lock()
	defer c.p.mu.Unlock()
	c.data.escapeLocked()
}

// awaitOnline gives the call of a port once it is in data mode.
func (b *bench) awaitOnline(name string) *call {
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for range tick.C {
		b.mu.Lock()
		ports := b.portsLocked()
		b.mu.Unlock()
		for _, p := range ports {
			p.mu.Lock()
			c, online := p.call, p.onlineLocked()
			p.mu.Unlock()
			if p.name == name && online {
				return c
			}
		}
	}
	return nil
}

// TestUnsolicitedFormat is V.250 sections 5.7.2, 6.2.5 and 6.2.6: V0 and Q1 are for results that answer nothing, too.
func TestUnsolicitedFormat(t *testing.T) {
	b := newBench(t, nil)
	u := b.ready("at")
	u.expect("AT+CREG=1;+CLIP=1;V0", "0\r")
	if err := b.Ring("+819012345678"); err != nil {
		t.Fatal(err)
	}
	if got, want := u.await("\"+819012345678\",145,,,,0\r"), "2\r+CLIP: \"+819012345678\",145,,,,0\r"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	b.StopRinging()
	if got := u.await("\r"); got != "3\r" {
		t.Errorf("the end of a call is %q, want 3 and CR", got)
	}
	b.NetworkDetach(false)
	if got := u.await("\r"); got != "+CREG: 0\r" {
		t.Errorf("a registration is %q", got)
	}
	b.Reattach()
	if got := u.await("+CREG: 1\r"); got != "+CREG: 2\r+CREG: 1\r" {
		t.Errorf("a registration is %q", got)
	}

	u.send("ATQ1\r") // no result from here on; Q0 ends it
	u.send("AT+CGMI\r")
	u.await("Quectel\r\n")
	if err := b.Ring(""); err != nil {
		t.Fatal(err)
	}
	for got := ""; got != "001\r\n"; { // it rang
		u.send("ATS1?\r")
		if got = u.await("\r\n"); got != "000\r\n" && got != "001\r\n" {
			t.Fatalf("with Q1 a call is %q", got)
		}
	}
	b.StopRinging()
	b.NetworkDetach(false)
	u.send("ATQ0\r")
	if got := u.await("0\r"); got != "0\r" {
		t.Errorf("with Q1 there was %q", got)
	}
}

// TestEffectsOfALine: each command of a line has its effect, in order, and those before one that fails too.
func TestEffectsOfALine(t *testing.T) {
	_, u := messageUser(t, nil)
	u.expect(`AT+CMGD=0;+CUSD=1,"*100#";+CUSD=1,"*101#";+CGMI=1`, "\r\nERROR\r\n\r\n+CUSD: 4\r\n\r\n+CUSD: 4\r\n")
	u.expect(`AT+CUSD=1,"*100#";;+=`, "\r\nERROR\r\n\r\n+CUSD: 4\r\n")
}
