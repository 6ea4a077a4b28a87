package dce

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"minato/emulator/core"
)

// TestCardIsReadInTheBoot: the modem hears commands before it has read its card.
func TestCardIsReadInTheBoot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, func(c *Config) { c.Delay = 1 })
		u := b.user("at")
		b.on()
		u.await("\r\nRDY\r\n")
		u.expect("ATE0", "ATE0\r\r\nOK\r\n")
		for _, command := range []string{"AT+CPIN?", "AT+CIMI", "AT+CPIN=1234"} {
			u.expect(command, cmeIs(14))
		}
		u.expect("AT+CGSN", ok(b.Status().IMEI))
		if got := b.Status().SIM; got != "NOT READY" {
			t.Errorf("the status says %s", got)
		}
		u.await("\r\n+CPIN: READY\r\n")
		u.expect("AT+CPIN?", ok("+CPIN: READY"))
	})
}

// TestPowerOffIsTheEnd: a modem that switches itself off looks for no network meanwhile.
func TestPowerOffIsTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, func(c *Config) { c.Delay = 1 })
		u := b.user("at")
		b.on()
		u.await("PB DONE\r\n")
		time.Sleep(time.Minute)
		u.expect("ATE0", "ATE0\r\r\nOK\r\n")
		u.expect("AT+CEREG=1;+CGEREP=2;+CEREG?", ok("+CEREG: 1,1"))
		u.send("AT+QPOWD\r")
		if got, want := u.await("POWERED DOWN\r\n"), done+"\r\nPOWERED DOWN\r\n"; got != want {
			t.Errorf("%q, want %q", got, want)
		}
		u.await("PB DONE\r\n")
	})
}

// TestPowerOffInTheBoot is the same while the modem still boots.
func TestPowerOffInTheBoot(t *testing.T) {
	for _, step := range []string{"RDY", "+QIND: SMS DONE"} {
		synctest.Test(t, func(t *testing.T) {
			b := newBench(t, func(c *Config) { c.Delay = 1 })
			u := b.user("at")
			b.on()
			u.await(step + "\r\n")
			u.send("ATE0+CGEREP=2;+CEREG=1;+QPOWD\r")
			if got, want := u.await("POWERED DOWN\r\n"), "ATE0+CGEREP=2;+CEREG=1;+QPOWD\r"+"\r\nOK\r\n\r\nPOWERED DOWN\r\n"; got != want {
				t.Errorf("after %s: %q, want %q", step, got, want)
			}
			u.await("PB DONE\r\n") // and then it is switched on again
			time.Sleep(time.Minute)
			u.send("AT+CEREG?\r")
			u.await("+CEREG: 0,1\r\n")
		})
	}
}

// TestCardComesBeforeTheNetwork: a modem that is switched on again has told of its card before it is registered.
func TestCardComesBeforeTheNetwork(t *testing.T) {
	b := newBench(t, nil)
	u := b.ready("at")
	u.expect("AT+CREG=1", done)
	for range 200 {
		u.send("AT+CFUN=0\r")
		u.await("+CREG: 0\r\n")
		u.send("AT+CFUN=1\r")
		if got := u.await("+CREG: 1\r\n"); !strings.Contains(got, "PB DONE") {
			t.Fatalf("registered before the card is up: %q", got)
		}
	}
	u.expect("AT+CFUN=0;+CFUN=1;+COPS=0;+CREG?", ok("+CREG: 1,1"))
}

// slowNetwork opens a session when it is let.
type slowNetwork struct {
	*fakeNetwork
	asked, let chan struct{}
}

func (n *slowNetwork) Activate(ctx context.Context, r core.ActivateRequest) (Session, error) {
	n.asked <- struct{}{}
	<-n.let
	return n.fakeNetwork.Activate(ctx, r)
}

// TestContextIsKeptWhileItIsOpened: a context whose session the network is opening is not defined anew, and the session is found again.
func TestContextIsKeptWhileItIsOpened(t *testing.T) {
	slow := &slowNetwork{&fakeNetwork{}, make(chan struct{}), make(chan struct{})}
	b := newBench(t, func(c *Config) { c.Network = slow })
	u, other := b.ready("at"), b.user("ppp")
	other.expect("ATE0", "ATE0\r\r\nOK\r\n")
	u.send("AT+CGACT=1,1\r")
	<-slow.asked
	other.expect(`AT+CGDCONT=1,"IP","soracom.io"`, cmeIs(3))
	other.expect("AT+CGDCONT=1", cmeIs(3))
	close(slow.let)
	u.await(done)
	u.expect("AT+CGACT=0,1", done)
	<-slow.session().Done()
	for range 200 { // and never in between
		u.send("AT+CGDCONT=4,\"IP\",\"soracom.io\";+CGACT=1,4\r")
		<-slow.asked
		other.send("AT+CGDCONT=4\r")
		other.await("\r\n+CME ERROR: 3\r\n")
		u.await(done)
		u.expect("AT+CGACT=0,4", done)
		<-slow.session().Done()
	}
}
