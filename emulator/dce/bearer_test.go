package dce

import (
	"testing"

	"minato/agent/ppp"
)

const (
	bearerUp   = "\r\n+CGACT: 1,1\r\n+CGACT: 2,0\r\n+CGACT: 3,0\r\n\r\nOK\r\n"
	bearerDown = "\r\n+CGACT: 1,0\r\n+CGACT: 2,0\r\n+CGACT: 3,0\r\n\r\nOK\r\n"
)

// TestDefaultBearer follows it from attach to detach, through a call that uses it.
func TestDefaultBearer(t *testing.T) {
	b := newBench(t, nil)
	at := b.ready("at")
	at.expect("AT+CGEREP=2;+CEREG=1", done)
	at.expect("AT+CFUN=4", "\r\nOK\r\n\r\n+CGEV: ME DETACH\r\n\r\n+CEREG: 0\r\n")
	at.expect("AT+CGACT?", bearerDown)
	at.expect("AT+CGPADDR=1;+CGCONTRDP", ok(`+CGPADDR: 1,"0.0.0.0,0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0"`))

	at.expect("AT+CFUN=1", "\r\nOK\r\n\r\n+CEREG: 2\r\n\r\n+CGEV: ME PDN ACT 1\r\n\r\n+CEREG: 1\r\n")
	at.expect("AT+CGACT?", bearerUp)
	at.expect("AT+CGCONTRDP=1", ok(`+CGCONTRDP: 1,5,soracom.io,10.128.0.1,,100.127.0.53,0.0.0.0`))
	if s := b.Status().Contexts[0]; !s.Active || s.Addr != "10.128.0.1" {
		t.Errorf("the status is %+v", s)
	}
	if b.net.session() != nil {
		t.Error("there is a session that nobody asked for")
	}

	dte := b.user("ppp")
	dte.expect("ATE0", "ATE0\r\r\nOK\r\n")
	c := dte.dial("sora", "sora")
	c.awaitUp(t)
	at.expect("AT+CGACT?", bearerUp)
	c.cancel()
	c.awaitEnd(t)
	dte.await("\r\nNO CARRIER\r\n")
	<-b.net.session().Done()
	at.expect("AT+CGACT?", bearerUp) // and nothing was said of it
	at.expect("AT+CGPADDR=1", ok(`+CGPADDR: 1,"10.128.0.1"`))

	at.expect("AT+CGACT=0,1;+CGACT?", cmeIs(171)) // the last connection
	at.expect("AT+CGACT=0", cmeIs(171))
	at.expect("AT+CGDCONT=1", cmeIs(3))
	at.expect("AT+CGACT?", bearerUp)
}

// TestBearerMoves: a SIM has one connection, and it is the context that is used which shows it.
func TestBearerMoves(t *testing.T) {
	b := newBench(t, nil)
	u := b.ready("at")
	u.expect(`AT+CGDCONT=2,"IP","soracom.io";+CGEREP=2;+CGACT=1,2`, "\r\nOK\r\n\r\n+CGEV: ME PDN ACT 2\r\n")
	u.expect("AT+CGACT?", "\r\n+CGACT: 1,0\r\n+CGACT: 2,1\r\n+CGACT: 3,0\r\n\r\nOK\r\n")
	u.expect("AT+CGPADDR=1,2", ok("+CGPADDR: 1,\"0.0.0.0,0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0\"\r\n+CGPADDR: 2,\"10.128.0.1\""))
	u.expect("AT+CGACT=0,2", "\r\nOK\r\n\r\n+CGEV: ME PDN DEACT 2\r\n")
	u.expect("AT+CGACT?", bearerUp)
	u.expect("AT+CGACT=1,2", "\r\nOK\r\n\r\n+CGEV: ME PDN ACT 2\r\n")
	b.DeactivatePDN(2)
	u.await("\r\n+CGEV: NW PDN DEACT 2\r\n")
	u.expect("AT+CGACT?", bearerDown) // it was the only one
	u.expect("AT+CGATT=0", "\r\nOK\r\n\r\n+CGEV: ME DETACH\r\n")
	u.expect("AT+CGATT=1", "\r\nOK\r\n\r\n+CGEV: ME PDN ACT 1\r\n")
	u.expect("AT+CGACT?", bearerUp)
	if err := b.DeactivatePDN(1); err == nil {
		t.Error("a context that nobody uses was deactivated")
	}
}

// TestDefaultBearerIsRefused: the modem is registered all the same, and the bearer comes with the first attach that asks for the right one.
func TestDefaultBearerIsRefused(t *testing.T) {
	b := newBench(t, nil)
	u := b.ready("at")
	u.expect(`AT+CGATT=0;+CGDCONT=1,"IP","wrong";+CGATT=1;+CGATT?`, ok("+CGATT: 1"))
	u.expect("AT+CGACT?", bearerDown)
	u.expect("AT+CEER", ok("+CEER: unknown APN, cause 27"))
	u.expect(`AT+CGDCONT=1,"IP","soracom.io";+CGATT=0;+CGATT=1`, done)
	u.expect("AT+CGACT?", bearerUp)
	u.expect("AT+CGATT=0;+CGDCONT=1;+CGATT=1;+CGACT?", ok("+CGACT: 2,0\r\n+CGACT: 3,0")) // a context that is not defined has none
}

// TestContextChangesUnderItsBearer: +CGDCONT after the attach, as dial scripts have it, is for the next attach and the next call.
func TestContextChangesUnderItsBearer(t *testing.T) {
	b := newBench(t, nil)
	u := b.ready("at")
	u.expect(`AT+CGDCONT=1,"IP","wrong";+CGAUTH=1,1,"sora","sora"`, done)
	u.expect("AT+CGACT?", bearerUp)
	u.expect("ATD*99***1#", "\r\nCONNECT 150000000\r\n")
	c := u.link("sora", "sora")
	if err := c.awaitEnd(t); err == nil {
		t.Error("the call came up with a wrong APN")
	}
	u.await("\r\nNO CARRIER\r\n")
	u.expect("AT+CGACT?", bearerUp)
	u.expect("AT+CGACT=1,1", done) // it is active: that the network refuses its use changes nothing
	u.expect("AT+QIACT=1", cmeIs(133))
	u.expect(`AT+CGDCONT=1,"IP","soracom.io";+CGACT=1,1`, done)
	if got := b.net.requests; len(got) != 4 || !got[3].Credentials.Matches("sora", "sora") || got[3].Credentials.Protocol != ppp.AuthPAP {
		t.Errorf("the network was asked %+v", got)
	}
	u.expect(`AT+CGDCONT=1,"IP","x"`, cmeIs(3)) // while it is used
	u.expect("AT+CGACT=0,1", done)
	<-b.net.session().Done()
	u.expect("AT+CGACT?", bearerUp)
}

// TestInterfaceAndCall: a context is used by the modem's own interface, or by a call.
func TestInterfaceAndCall(t *testing.T) {
	b := newBench(t, nil)
	u, dte := b.ready("at"), b.user("ppp")
	dte.expect("ATE0", "ATE0\r\r\nOK\r\n")
	u.expect("AT+QNETDEVCTL=1,1,1;+QNETDEVCTL?", ok("+QNETDEVCTL: 1,1,1,1"))
	u.expect("AT+QNETDEVCTL=0,1;+QNETDEVCTL?", ok("+QNETDEVCTL: 0,0,0,0"))
	<-b.net.session().Done()
	u.expect("AT+CGACT?", bearerUp)
	c := dte.dial("sora", "sora")
	c.awaitUp(t)
	u.expect("AT+QNETDEVCTL=1,1,1", cmeIs(3))
	u.expect("AT+QNETDEVCTL=0,1;+QNETDEVCTL?", ok("+QNETDEVCTL: 0,0,0,0"))
	select {
	case <-b.net.session().Done():
		t.Error("the call is over")
	default:
	}
	c.cancel()
	c.awaitEnd(t)
	u.expect("AT+QNETDEVCTL=1,7", cmeIs(50))
}

// TestUndefiningTheAttachsContext is refused as long as there is a default bearer, whichever context shows it.
func TestUndefiningTheAttachsContext(t *testing.T) {
	u := newBench(t, nil).ready("at")
	u.expect(`AT+CGDCONT=4,"IP","soracom.io";+CGACT=1,4`, done)
	u.expect("AT+CGDCONT=1", cmeIs(3))
	u.expect("AT+CGACT=0,4;+CGDCONT=4", done)
	u.expect("AT+CGACT?", bearerUp)
}
