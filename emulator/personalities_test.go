package emulator

import (
	"strings"
	"testing"
	"time"

	"minato/agent/ppp"
	"minato/emulator/dce"
	"minato/emulator/ttytest"
)

// TestEveryPersonality dials with each modem that there is, on the port that it has for that, and asks what ModemManager asks of any.
func TestEveryPersonality(t *testing.T) {
	for _, name := range dce.Personalities() {
		t.Run(name, func(t *testing.T) {
			e := start(t, Config{Personality: name})
			u := dialTone(t, e, 0)
			for _, command := range []string{"ATE0", "ATV1", "ATX4", "AT&C1", "AT&D2", "ATI", "AT+CGMI", "AT+CGMM", "AT+CGMR", "AT+CGSN", "AT+GCAP", "AT+CPIN?", "AT+CIMI",
				"AT+CFUN?", "AT+CREG=2;+CGREG=2;+CEREG=2", "AT+CEREG?", "AT+COPS=3,2;+COPS?", "AT+CSQ", "AT+CESQ", "AT+CGATT?", "AT+CGDCONT=?", "AT+CGEREP=2", "AT+CSCS=?",
				"AT+CLCK=?", "AT+CIND=?;+CIND?", "AT+CRSM=176,12258,0,0,10", "AT+CNMI=2,1,2,1,0", "AT+CLAC", "AT+CMEE=?"} {
				if got := u.AT(command); !strings.HasSuffix(got, "\r\nOK\r\n") {
					t.Errorf("%s gave %q", command, got)
				}
			}
			if got := u.AT("ATD*99***1#"); !strings.Contains(got, "\r\nCONNECT") {
				t.Fatalf("dialling gave %q", got)
			}
			l := u.PPP(ppp.Config{User: "sora", Password: "sora"})
			l.Await()
			l.Stop()
			l.End()
			u.Await("\r\nNO CARRIER\r\n")
		})
	}
}

// TestMixedFleet has two makes for three modems.
func TestMixedFleet(t *testing.T) {
	e := start(t, Config{Modems: 3, Personality: "simcom-sim7600,dce/personalities/ublox-lara-r6.yaml"})
	for n, want := range []string{"simcom-sim7600", "ublox-lara-r6", "simcom-sim7600"} {
		if got := e.Modem(n).Status().Personality; got != want {
			t.Errorf("modem %d is a %s, want a %s", n, got, want)
		}
		u := ttytest.Open(t, e.Modem(n).ATPath())
		u.AT("ATE0")
		if got := u.AT("AT+CGSN"); !strings.Contains(got, e.Modem(n).Status().IMEI) {
			t.Errorf("modem %d: AT+CGSN gave %q", n, got)
		}
	}
	if a, b := e.Modem(0).Status().IMEI, e.Modem(2).Status().IMEI; a == b {
		t.Errorf("two modems have the IMEI %s", a)
	}
	if _, err := New(Config{Personality: "simcom-sim7600,"}); err == nil {
		t.Error("a list that ends with a comma was taken")
	}
}

// TestUARTSpeed is the one-port modem on a pseudo-terminal: after +IPR both must change.
func TestUARTSpeed(t *testing.T) {
	e := start(t, Config{Personality: "ublox-lara-r6"})
	if at, ppp := e.Modem(0).ATPath(), e.Modem(0).PPPPath(); at != ppp {
		t.Errorf("one port has two names, %s and %s", at, ppp)
	}
	u := ttytest.Open(t, e.Modem(0).ATPath())
	u.AT("ATE0")
	u.AT("AT+IPR=9600")
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for e.Modem(0).Status().Ports[0].Rate != 9600 { // after its OK
		<-tick.C
	}
	u.SetSpeed(9600)
	if got := u.AT("AT"); got != "\r\nOK\r\n" {
		t.Errorf("at the new speed %q", got)
	}
}
