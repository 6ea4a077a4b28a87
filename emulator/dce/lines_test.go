package dce

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"
)

func yes() *bool { b := true; return &b }
func no() *bool  { b := false; return &b }

// portIs waits for a port's status.
func (b *bench) portIs(name string, want func(PortStatus) bool) {
	b.t.Helper()
	b.statusIs(func(s Status) bool {
		return slices.ContainsFunc(s.Ports, func(p PortStatus) bool { return p.Name == name && want(p) })
	})
}

// statusIs waits for the modem's status.
func (b *bench) statusIs(want func(Status) bool) {
	b.t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	deadline := time.After(patience)
	for !want(b.Status()) {
		select {
		case <-tick.C:
		case <-deadline:
			b.t.Fatalf("the modem stays %+v", b.Status())
		}
	}
}

func TestCircuits(t *testing.T) {
	b := newBench(t, nil)
	u := b.ready("ppp")
	b.portIs("ppp", func(s PortStatus) bool { return s.DTR && !s.DCD && !s.RI && s.State == "command" })
	u.expect("AT&C0", "\r\nOK\r\n")
	b.portIs("ppp", func(s PortStatus) bool { return s.DCD })
	u.expect("AT&C1", "\r\nOK\r\n")
	for _, tt := range []struct {
		name string
		do   LineChange
		want string
	}{
		{"DTR falls, &D2", LineChange{DTR: no()}, "\r\nNO CARRIER\r\n"},
		{"carrier", LineChange{DCD: no()}, "\r\nNO CARRIER\r\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			u.expect(`AT+CGDCONT=1,"IP","soracom.io"`, "\r\nOK\r\n")
			u.expect("ATD*99#", "\r\nCONNECT 150000000\r\n")
			b.portIs("ppp", func(s PortStatus) bool { return s.DCD && s.State == "data" })
			if err := b.SetLines("ppp", tt.do); err != nil {
				t.Fatal(err)
			}
			u.await(tt.want)
			b.portIs("ppp", func(s PortStatus) bool { return !s.DCD })
			b.SetLines("ppp", LineChange{DTR: yes()})
		})
	}
	t.Run("DTR falls, &D1", func(t *testing.T) {
		u.expect("AT&D1;D*99#", "\r\nCONNECT 150000000\r\n")
		b.portIs("ppp", func(s PortStatus) bool { return s.State == "data" })
		b.SetLines("ppp", LineChange{DTR: no()})
		u.await("\r\nOK\r\n")
		b.portIs("ppp", func(s PortStatus) bool { return s.State == "onlineCommand" && s.DCD })
		b.SetLines("ppp", LineChange{DTR: yes()})
		u.expect("ATH", "\r\nOK\r\n")
	})
	t.Run("DTR falls, &D0", func(t *testing.T) {
		u.expect("AT&D0;D*99#", "\r\nCONNECT 150000000\r\n")
		b.portIs("ppp", func(s PortStatus) bool { return s.State == "data" })
		b.SetLines("ppp", LineChange{DTR: no()})
		b.portIs("ppp", func(s PortStatus) bool { return s.State == "data" && !s.DTR })
		b.DropCarrier()
		u.await("NO CARRIER\r\n")
	})
	if err := b.SetLines("none", LineChange{}); !errors.Is(err, ErrNoPort) {
		t.Errorf("no such port: %v", err)
	}
	for _, c := range []LineChange{{DCD: yes()}, {DCD: no()}, {RI: no()}} {
		if err := b.SetLines("ppp", c); err == nil {
			t.Errorf("%+v is possible", c)
		}
	}
}

func TestRinging(t *testing.T) {
	b := newBench(t, nil)
	u := b.ready("at")
	u.expect("AT+CLIP=1;+CMER=3,0,0,1", "\r\nOK\r\n")
	if err := b.Ring("+819012345678"); err != nil {
		t.Fatal(err)
	}
	if got := u.await("145,,,,0\r\n"); !strings.Contains(got, "\r\nRING\r\n\r\n+CLIP: \"+819012345678\",") || !strings.Contains(got, "+CIEV: 7,1") {
		t.Errorf("ringing: %q", got)
	}
	b.portIs("at", func(s PortStatus) bool { return s.RI })
	if err := b.Ring(""); err == nil {
		t.Error("two can call")
	}
	u.expect("AT+CPAS;+CLCC", "\r\n+CPAS: 3\r\n\r\n+CLCC: 1,1,0,1,0,\"\",128\r\n+CLCC: 2,1,4,0,0,\"+819012345678\",145\r\n\r\nOK\r\n")
	u.send("ATA\r")
	if got := u.await("+CIEV: 7,0\r\n"); got != "\r\nOK\r\n\r\n+CIEV: 4,1\r\n\r\n+CIEV: 7,0\r\n" {
		t.Errorf("answering: %q", got)
	}
	u.expect("AT+CPAS;+CLCC", "\r\n+CPAS: 4\r\n\r\n+CLCC: 1,1,0,1,0,\"\",128\r\n+CLCC: 2,1,0,0,0,\"+819012345678\",145\r\n\r\nOK\r\n")
	b.portIs("at", func(s PortStatus) bool { return !s.RI })
	b.StopRinging()
	u.await("\r\nNO CARRIER\r\n")
	u.await("\r\n+CIEV: 4,0\r\n")
	u.expect("AT+CMER=0;+CRC=1;+CLIP=0", "\r\nOK\r\n")
	if err := b.SetLines("at", LineChange{RI: yes()}); err != nil {
		t.Fatal(err)
	}
	u.await("\r\n+CRING: VOICE\r\n")
	u.expect("AT+CHUP;+CLCC", ok(`+CLCC: 1,1,0,1,0,"",128`))
	u.expect("ATS0=1", "\r\nOK\r\n")
	b.Ring("0312345678")
	u.await("\r\n+CRING: VOICE\r\n")
	b.portIs("at", func(s PortStatus) bool { return !s.RI }) // answered by itself
	u.expect("AT+CLCC", "\r\n+CLCC: 1,1,0,1,0,\"\",128\r\n+CLCC: 2,1,0,0,0,\"0312345678\",129\r\n\r\nOK\r\n")
	u.expect("ATH", "\r\nOK\r\n")
	u.expect("ATS0=0;+CRC=0;+CLIP=1", "\r\nOK\r\n")
	if err := b.SetLines("at", LineChange{RI: yes(), Number: "0312345678"}); err != nil {
		t.Fatal(err)
	}
	u.await("\r\n+CLIP: \"0312345678\",129,,,,0\r\n")
	u.expect("AT+CHUP", "\r\nOK\r\n")
	if err := b.SetLines("at", LineChange{Number: "0312345678"}); !errors.Is(err, ErrNumber) {
		t.Errorf("a number without a call: %v", err)
	}
	b.DenyRegistration(true)
	b.statusIs(func(s Status) bool { return s.Registration == int(RegistrationDenied) })
	if err := b.Ring(""); err == nil {
		t.Error("one can call without service")
	}
}
