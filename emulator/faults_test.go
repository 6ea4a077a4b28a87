package emulator

import (
	"errors"
	"strings"
	"testing"

	"minato/agent/ppp"
	"minato/emulator/fault"
)

// TestEveryFault injects each fault into a call and looks at what an agent would see; then all is as before.
func TestEveryFault(t *testing.T) {
	see := map[string]struct {
		params map[string]string
		check  func(t *testing.T, at *tty, l *link)
	}{
		"no-carrier": {nil, func(t *testing.T, _ *tty, l *link) {
			if err := l.end(t); !errors.Is(err, ppp.ErrNoCarrier) {
				t.Errorf("the link ended with %v", err)
			}
		}},
		"silent-link": {map[string]string{"lcp": "true"}, func(t *testing.T, at *tty, l *link) {
			if got := at.at("AT+CGACT?"); !strings.Contains(got, "+CGACT: 1,1") {
				t.Errorf("the context is no longer active: %q", got)
			}
		}},
		"deact": {nil, func(t *testing.T, at *tty, l *link) {
			at.await("\r\n+CGEV: NW PDN DEACT 1\r\n")
			if err := l.end(t); !errors.Is(err, ppp.ErrPeerTerminated) {
				t.Errorf("the link ended with %v", err)
			}
		}},
		"detach": {map[string]string{"reattach": "false"}, func(t *testing.T, at *tty, l *link) {
			at.await("\r\n+CGEV: NW DETACH\r\n")
			at.await("\r\n+CEREG: 0\r\n")
			l.end(t)
		}},
		"registration-denied": {nil, func(t *testing.T, at *tty, l *link) {
			at.await("\r\n+CEREG: 3\r\n")
			l.end(t)
			if got := at.at("ATD*99#"); got != "\r\nNO CARRIER\r\n" {
				t.Errorf("dialling gave %q", got)
			}
		}},
		"sim-out": {nil, func(t *testing.T, at *tty, l *link) {
			at.await("\r\n+CPIN: NOT READY\r\n")
			at.await("\r\n+CEREG: 0\r\n")
			l.end(t)
			if got := at.at("AT+CMEE=1;+CIMI"); !strings.Contains(got, "+CME ERROR: 10") {
				t.Errorf("+CIMI gave %q", got)
			}
		}},
		"sim-pin": {map[string]string{"pin": "4711"}, func(t *testing.T, at *tty, l *link) {
			at.await("\r\n+CPIN: SIM PIN\r\n")
			l.end(t)
			if got := at.at(`AT+CPIN="4711"`); !strings.Contains(got, "OK") {
				t.Errorf("+CPIN= gave %q", got)
			}
		}},
	}
	for _, f := range fault.All {
		t.Run(f.Name, func(t *testing.T) {
			tt, ok := see[f.Name]
			if !ok {
				t.Fatal("nobody looks at this fault")
			}
			e := start(t, Config{})
			at := openTTY(t, e.Modem(0).ATPath())
			at.at("ATE0+CEREG=1;+CGEREP=2")
			u := dialTone(t, e, 0)
			u.at("ATD*99#")
			l := u.ppp("sora", "sora")
			l.await(t)
			at.await("ME PDN ACT 1\r\n")
			if err := e.Modem(0).Inject(f.Name, tt.params); err != nil {
				t.Fatal(err)
			}
			tt.check(t, at, l)
			e.Modem(0).Clear()
			if f.Name == "silent-link" { // the call never ended
				l.stop()
				l.end(t)
			}
			u.await("\r\nNO CARRIER\r\n")
			u.registered()
			u.at("ATD*99#")
			again := u.ppp("sora", "sora")
			again.await(t)
			again.stop()
			again.end(t)
			if n := len(e.Modem(0).Status().Faults); n != 0 {
				t.Errorf("%d faults are active", n)
			}
		})
	}
}

func TestInjectErrors(t *testing.T) {
	e := start(t, Config{})
	for _, tt := range []struct {
		name, fault string
		params      map[string]string
		want        string
	}{
		{"unknown", "gremlins", nil, `fault "gremlins": not known, allowed are no-carrier`},
		{"no parameter", "no-carrier", map[string]string{"x": "1"}, `parameter "x": not known, allowed are: none`},
		{"other parameter", "deact", map[string]string{"x": "1"}, "allowed are: cid"},
		{"value", "deact", map[string]string{"cid": "0"}, "allowed is 1 to 255"},
		{"not now", "no-carrier", nil, "no data call"},
		{"not active", "deact", nil, "it is not active"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if err := e.Modem(0).Inject(tt.fault, tt.params); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want %q", err, tt.want)
			}
		})
	}
}
