package fault_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"minato/agent/ppp"
)

func TestDeact(t *testing.T) {
	w := newWorld(t)
	l := w.call()
	w.inject("deact")
	w.at.Await("\r\n+CGEV: NW PDN DEACT 1\r\n")
	if err := l.End(); !errors.Is(err, ppp.ErrPeerTerminated) {
		t.Errorf("the link ended with %v", err)
	}
	w.ppp.Await("\r\nNO CARRIER\r\n")
	w.recovered()
}

func TestDetach(t *testing.T) {
	w := newWorld(t)
	l := w.call()
	w.inject("detach", "reattach", "false")
	w.at.Await("\r\n+CGEV: NW DETACH\r\n")
	w.at.Await("\r\n+CEREG: 0\r\n")
	l.End()
	w.ppp.Await("\r\nNO CARRIER\r\n")
	w.recovered()
}

func TestRegistrationDenied(t *testing.T) {
	w := newWorld(t)
	l := w.call()
	w.inject("registration-denied")
	w.at.Await("\r\n+CEREG: 3\r\n")
	l.End()
	w.ppp.Await("\r\nNO CARRIER\r\n")
	if got := w.ppp.AT("ATD*99#"); got != "\r\nNO CARRIER\r\n" {
		t.Errorf("dialling gave %q", got)
	}
	w.recovered()
}

func TestFlapping(t *testing.T) {
	w := newWorld(t)
	l := w.call()
	w.inject("flapping", "on", "1ms", "off", "1ms")
	for range 3 {
		w.at.Await("\r\n+CEREG: 2\r\n")
		w.at.Await("\r\n+CEREG: 1\r\n")
	}
	w.inject("flapping", "off", "1h") // again, from the beginning: no cell for an hour
	w.at.AwaitAnswer("AT+CEREG?", "+CEREG: 1,2")
	if got := w.at.AT("AT+CSQ"); got != "\r\n+CSQ: 99,99\r\n\r\nOK\r\n" {
		t.Errorf("+CSQ gave %q", got)
	}
	if got := w.at.AT("ATD*99#"); got != "\r\nNO CARRIER\r\n" && !strings.Contains(got, "ERROR") {
		t.Errorf("dialling gave %q", got)
	}
	ping(t, w, l, false)
	w.modem.Clear()
	w.at.Registered()
	ping(t, w, l, true) // the session has outlived it
	w.hangUp(l)
	w.recovered()
}

// TestFlappingAndOff: a radio that is switched off where there is no cell leaves the network for good.
func TestFlappingAndOff(t *testing.T) {
	w := newWorld(t)
	l := w.call()
	w.inject("flapping", "off", "1h")
	w.at.AwaitAnswer("AT+CEREG?", "+CEREG: 1,2")
	w.at.AT("AT+CFUN=4")
	l.End()
	w.ppp.Await("\r\nNO CARRIER\r\n")
	w.at.AT("AT+CFUN=1")
	w.at.AwaitAnswer("AT+CEREG?", "+CEREG: 1,2")
	w.recovered()
}

func TestWeakSignal(t *testing.T) {
	w := newWorld(t)
	l := w.call()
	w.inject("weak-signal", "rssi", "-109", "rsrp", "-120", "rsrq", "-15", "loss", "100")
	if got := w.at.AT("AT+CSQ;+CESQ"); got != "\r\n+CSQ: 2,99\r\n\r\n+CESQ: 99,99,255,255,10,21\r\n\r\nOK\r\n" {
		t.Errorf("the modem says %q", got)
	}
	ping(t, w, l, false)
	w.inject("weak-signal", "loss", "50")
	ping(t, w, l, true) // sooner or later
	w.hangUp(l)
	w.recovered()
}

func TestSIMOut(t *testing.T) {
	w := newWorld(t)
	l := w.call()
	w.inject("sim-out")
	w.at.Await("\r\n+CPIN: NOT READY\r\n")
	w.at.Await("\r\n+CEREG: 0\r\n")
	l.End()
	w.ppp.Await("\r\nNO CARRIER\r\n")
	if got := w.at.AT("AT+CMEE=1;+CIMI"); !strings.Contains(got, "+CME ERROR: 10") {
		t.Errorf("+CIMI gave %q", got)
	}
	w.recovered()
}

// TestSIMBusy: SIM commands are refused and the modem stays off the network, for as many as was said or until it is cleared.
func TestSIMBusy(t *testing.T) {
	w := newWorld(t)
	l := w.call()
	w.inject("sim-busy")
	w.at.Await("\r\n+CPIN: NOT READY\r\n")
	w.at.Await("\r\n+CEREG: 0\r\n")
	l.End()
	w.ppp.Await("\r\nNO CARRIER\r\n")
	for range 3 {
		if got := w.at.AT("AT+CMEE=1;+CIMI"); got != "\r\n+CME ERROR: 14\r\n" {
			t.Errorf("+CIMI gave %q", got)
		}
	}
	w.recovered()
	w.at.Await("\r\n+CEREG: 1\r\n")
	w.inject("sim-busy", "count", "3", "absent", "2")
	w.at.Await("\r\n+CEREG: 0\r\n")
	for _, want := range []string{"\r\n+CME ERROR: 10\r\n", "\r\n+CME ERROR: 10\r\n", "\r\n+CME ERROR: 14\r\n"} {
		if got := w.at.AT("AT+CPIN?"); got != want {
			t.Errorf("+CPIN? gave %q, want %q", got, want)
		}
	}
	w.at.Await("\r\n+CPIN: READY\r\n")
	w.at.Await("\r\n+CEREG: 1\r\n")
	w.recovered()
}

func TestSIMPIN(t *testing.T) {
	w := newWorld(t)
	l := w.call()
	w.inject("sim-pin", "pin", "4711")
	w.at.Await("\r\n+CPIN: SIM PIN\r\n")
	l.End()
	w.ppp.Await("\r\nNO CARRIER\r\n")
	if got := w.at.AT(`AT+CPIN="4711"`); !strings.Contains(got, "OK") {
		t.Errorf("+CPIN= gave %q", got)
	}
	w.recovered()
	if got := w.at.AT("AT+CFUN=1,1"); !strings.Contains(got, "OK") {
		t.Errorf("the reset gave %q", got)
	}
	w.at.Await("\r\n+CPIN: READY\r\n") // the lock is off again
}

func TestSIMPUK(t *testing.T) {
	w := newWorld(t)
	l := w.call()
	w.inject("sim-puk", "puk", "87654321")
	w.at.Await("\r\n+CPIN: SIM PUK\r\n")
	l.End()
	w.ppp.Await("\r\nNO CARRIER\r\n")
	if got := w.at.AT(`AT+CPIN="12345678","1111"`); strings.Contains(got, "OK") {
		t.Errorf("a wrong PUK gave %q", got)
	}
	if got := w.at.AT(`AT+CPIN="87654321","1111"`); !strings.Contains(got, "OK") {
		t.Errorf("the PUK gave %q", got)
	}
	w.recovered()
}

// TestSIMLocks: locks that overlap leave the card's own, whichever goes first.
func TestSIMLocks(t *testing.T) {
	for _, first := range []string{"sim-pin", "sim-puk"} {
		t.Run(first, func(t *testing.T) {
			w := newWorld(t)
			w.inject("sim-pin")
			w.at.Await("\r\n+CPIN: SIM PIN\r\n")
			w.inject("sim-puk")
			w.at.Await("\r\n+CPIN: SIM PUK\r\n")
			if !w.modem.ClearFault(first) {
				t.Fatal("not active")
			}
			left := "SIM PIN"
			if first == "sim-pin" {
				left = "SIM PUK"
			}
			if got := w.at.AT("AT+CPIN?"); !strings.Contains(got, "\r\n+CPIN: "+left+"\r\n") {
				t.Errorf("without %s: %q", first, got)
			}
			w.recovered()
			if got := w.at.AT("AT+CPIN?"); !strings.Contains(got, "\r\n+CPIN: READY\r\n") {
				t.Errorf("without any: %q", got)
			}
		})
	}
}

func TestReboot(t *testing.T) {
	w := newWorld(t)
	l := w.dial(ppp.Config{RestartInterval: 500 * time.Millisecond}) // nobody will answer its Terminate-Requests
	l.Await()
	w.at.AT("AT+CMEE=2")
	w.inject("reboot")
	w.at.Await("\r\nRDY\r\n")
	w.at.Await("\r\n+QIND: PB DONE\r\n")
	l.Stop()
	l.End()
	if got := w.ppp.AT("AT"); !strings.HasSuffix(got, "AT\r\r\nOK\r\n") { // the echo is on again
		t.Errorf("after the reboot there is %q", got)
	}
	w.ppp.AT("ATE0")
	w.ppp.AT(`AT+CGDCONT=1,"IP","soracom.io"`)
	w.recovered()
}
