package dce

import "testing"

const refusedSecond = "\r\n+CEER: multiple PDN connections for a given APN not allowed, cause 55\r\n\r\nOK\r\n"

// TestSecondPDN asks for more connections than the one that a SIM has: what is there stays.
func TestSecondPDN(t *testing.T) {
	b := newBench(t, nil)
	at := b.ready("at")
	ppp := b.user("ppp")
	ppp.expect("ATE0", "ATE0\r\r\nOK\r\n")
	at.expect(`AT+CGDCONT=2,"IP","soracom.io";+CGDCONT=3,"IP","Soracom.io";+CGDCONT=4,"IP","wrong";+CGEREP=2`, "\r\nOK\r\n")
	c := ppp.dial("sora", "sora")
	c.awaitUp(t)
	first := b.net.session()

	at.expect("AT+CGACT=1,2", "\r\n+CME ERROR: 148\r\n")
	at.expect("AT+CEER", refusedSecond)
	at.expect("AT+CGACT=1,1,3", "\r\n+CME ERROR: 148\r\n") // the first is active as it is
	at.expect("AT+CGACT=1,4", "\r\n+CME ERROR: 133\r\n")
	at.expect("ATD*99***3#", "\r\nNO CARRIER\r\n")
	at.expect("AT+CEER", refusedSecond)
	at.expect("AT+CGACT?", "\r\n+CGACT: 1,1\r\n+CGACT: 2,0\r\n+CGACT: 3,0\r\n+CGACT: 4,0\r\n\r\nOK\r\n")
	if b.net.session() != first {
		t.Error("there was another session")
	}

	c.cancel() // and when it has ended another may come
	if err := c.awaitEnd(t); err != nil {
		t.Fatal(err)
	}
	ppp.await("\r\nNO CARRIER\r\n")
	<-first.Done()
	at.expect("AT+CGACT=1,2,3", "\r\n+CME ERROR: 148\r\n\r\n+CGEV: ME PDN ACT 2\r\n")
	ppp.expect("ATD*99***2#", "\r\nCONNECT 150000000\r\n")
	c = ppp.link("sora", "sora")
	c.awaitUp(t)
	c.cancel()
	c.awaitEnd(t)
}

// TestSecondPDNInACall has a context activated between CONNECT and the PPP link's wish for an address.
func TestSecondPDNInACall(t *testing.T) {
	b := newBench(t, nil)
	at := b.ready("at")
	ppp := b.user("ppp")
	ppp.expect("ATE0", "ATE0\r\r\nOK\r\n")
	at.expect(`AT+CGDCONT=1,"IP","soracom.io";+CGDCONT=2,"IP","soracom.io"`, "\r\nOK\r\n")
	ppp.expect("ATD*99***1#", "\r\nCONNECT 150000000\r\n")
	at.expect("AT+CGACT=1,2", "\r\nOK\r\n")
	c := ppp.link("sora", "sora")
	c.awaitEnd(t)
	ppp.await("\r\nNO CARRIER\r\n")
	at.expect("AT+CEER", refusedSecond)
	at.expect("AT+CGACT?", "\r\n+CGACT: 1,0\r\n+CGACT: 2,1\r\n+CGACT: 3,0\r\n\r\nOK\r\n")
}
