package emulator

import (
	"bufio"
	"context"
	"crypto/rand"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"minato/agent/ppp"
	"minato/emulator/ttytest"
)

// TestManyCalls dials and hangs up in turn, on one port, with every way to end.
func TestManyCalls(t *testing.T) {
	e := start(t, Config{})
	u := dialTone(t, e, 0)
	for i := range 40 {
		if got := u.AT("ATD*99***1#"); !strings.Contains(got, "CONNECT") {
			t.Fatalf("call %d: %q", i, got)
		}
		l := u.PPP(ppp.Config{User: "sora", Password: "sora"})
		l.Await()
		switch i % 3 {
		case 0:
			l.Stop()
		case 1:
			if err := e.Modem(0).Inject("no-carrier", nil); err != nil {
				t.Fatal(err)
			}
		case 2:
			if err := e.Modem(0).Inject("deact", nil); err != nil {
				t.Fatal(err)
			}
		}
		l.End()
		u.Await("\r\nNO CARRIER\r\n")
	}
}

// TestClosingThePortHangsUp is &D2: the last close is the fall of DTR.
func TestClosingThePortHangsUp(t *testing.T) {
	e := start(t, Config{})
	for range 3 {
		u := dialTone(t, e, 0)
		u.AT("ATD*99***1#")
		l := u.PPP(ppp.Config{User: "sora", Password: "sora"})
		l.Await()
		u.Close() // as a process that is killed
		l.End()
		awaitOffline(t, e)
	}
	u := ttytest.Open(t, e.Modem(0).PPPPath())
	if got := u.AT("AT"); got != "AT\r\r\nOK\r\n" && got != "\r\nOK\r\n" {
		t.Errorf("the next user gets %q", got)
	}
}

func awaitOffline(t *testing.T, e *Emulator) {
	t.Helper()
	deadline := time.After(ttytest.Patience)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for e.Core().Subscribers()[0].Online {
		select {
		case <-deadline:
			t.Fatal("the session outlived its user")
		case <-tick.C:
		}
	}
}

func TestWrongAPNAndWrongPassword(t *testing.T) {
	for _, tt := range []struct {
		name, apn, password, cause string
	}{
		{"APN", "internet", "sora", "cause 27"},
		{"password", "soracom.io", "wrong", "cause 29"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e := start(t, Config{})
			u := dialTone(t, e, 0)
			u.AT(`AT+CGDCONT=1,"IP","` + tt.apn + `"`)
			u.AT("ATD*99***1#")
			l := u.PPP(ppp.Config{User: "sora", Password: tt.password})
			if err := l.End(); !errors.Is(err, ppp.ErrPeerTerminated) {
				t.Errorf("the link ended with %v", err)
			}
			u.Await("\r\nNO CARRIER\r\n")
			if got := u.AT("AT+CEER"); !strings.Contains(got, tt.cause) {
				t.Errorf("+CEER gave %q", got)
			}
		})
	}
}

func TestDialWhileDetached(t *testing.T) {
	e := start(t, Config{})
	u := dialTone(t, e, 0)
	u.AT("AT+CGATT=0")
	if got := u.AT("ATD*99***1#"); got != "\r\nNO CARRIER\r\n" {
		t.Errorf("dialling gave %q", got)
	}
}

// TestGarbage writes noise in command state and in data mode.
func TestGarbage(t *testing.T) {
	e := start(t, Config{})
	u := dialTone(t, e, 0)
	noise := make([]byte, 64<<10)
	rand.Read(noise)
	for i := range noise { // an AT in it would be a command
		if noise[i]&0x5f == 'A' {
			noise[i] = 0
		}
	}
	u.Send(string(noise))
	if got := u.AT("AT"); !strings.HasSuffix(got, "\r\nOK\r\n") {
		t.Errorf("after noise, AT gave %q", got)
	}
	u.AT("ATD*99***1#")
	u.Send(string(noise))
	l := u.PPP(ppp.Config{User: "sora", Password: "sora"})
	l.Await()
	l.Stop()
	l.End()
	u.Await("\r\nNO CARRIER\r\n")
}

// TestUnknownSIM is a modem whose SIM the network does not have.
func TestUnknownSIM(t *testing.T) {
	e := start(t, Config{Modems: 2, Subscribers: e0()})
	u := ttytest.Open(t, e.Modem(1).ATPath())
	u.AT("ATE0")
	deadline := time.Now().Add(ttytest.Patience)
	for !strings.Contains(u.AT("AT+CEREG?"), "+CEREG: 0,3") {
		if time.Now().After(deadline) {
			t.Fatal("the modem is not refused")
		}
	}
}

// TestSocket is how ModemManager's test session comes in: each connection is a port.
func TestSocket(t *testing.T) {
	e := start(t, Config{})
	for range 2 {
		c, err := net.Dial("unix", e.Modem(0).SocketPath())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		r := bufio.NewReader(c)
		want := "ATE0\r\r\nOK\r\n"
		got := make([]byte, len(want))
		c.SetDeadline(time.Now().Add(ttytest.Patience))
		io.WriteString(c, "ATE0\r")
		if _, err := io.ReadFull(r, got); err != nil || string(got) != want {
			t.Errorf("got %q, %v", got, err)
		}
	}
}

// TestModemManager replays the commands of a ModemManager 1.20 test session: each gets one final result.
func TestModemManager(t *testing.T) {
	e := start(t, Config{})
	u := ttytest.Open(t, e.Modem(0).ATPath())
	u.AT("ATE0")
	u.Registered()
	for _, tt := range []struct{ command, want string }{
		{"ATE0", "OK"}, {"ATV1", "OK"}, {"AT+CMEE=1", "OK"}, {"ATX4", "OK"}, {"AT&C1", "OK"}, {"AT+GCAP", "+GCAP: +CGSM"},
		{"AT+WS46=?", "+WS46: ("}, {"AT+CSCS=?", "+CSCS: ("}, {"AT+CGMI", "Quectel"}, {"AT+CGMM", "EC25"}, {"AT+CGMR", "EC25"},
		{"AT+CGSN", "867584"}, {"ATI", "Revision: "}, {"AT*CNTI=2", "ERROR"}, {"AT+CGDCONT=?", "+CGDCONT: (1-24,100-179),\"IP\""},
		{"AT+CFUN?", "+CFUN: 1"}, {"AT+CPIN?", "+CPIN: READY"}, {"AT+CSIM=10,\"0020000100\"", `+CSIM: 4,"63C3"`},
		{"AT+CRSM=176,12258,0,0,10", `+CRSM: 144,0,"981801000000000000`}, {"AT+CRSM=176,28589,0,0,4", `+CRSM: 144,0,"00000002"`}, {"AT+CRSM=176,28486,0,0,17", `+CRSM: 144,0,"01FFFF`}, {"AT+CRSM=176,28599,0,0,0", "+CRSM: 105,129"}, {"AT+CRSM=176,28478,0,0,0", `+CRSM: 144,0,"FFFF"`},
		{"AT+CIMI", "440101234567890"}, {"AT+CPLS=0", "OK"}, {"AT+CPOL=,2", "OK"}, {"AT+CPOL?", "OK"}, {"AT+CNUM", `+CNUM: ,"+812000000000",145`},
		{"AT+CLCK=?", "+CLCK: ("}, {"AT+CEMODE?", "+CEMODE: 2"}, {"AT+CUSD=?", "+CUSD: (0-2)"}, {"AT+CNMI=?", "+CNMI: ("}, {"AT+CTZU=?", "+CTZU: ("},
		{"AT+CESQ=?", "+CESQ: ("}, {"ATH", "OK"}, {"AT+CLCC=?", "OK"}, {"AT+COPS=3,2;+COPS?", `"44010",7`}, {"AT+CLAC", "AT+CEREG"},
	} {
		if got := u.AT(tt.command); !strings.Contains(got, tt.want) {
			t.Errorf("%s gave %q, want %q", tt.command, got, tt.want)
		}
	}
}

// TestNamesAreGoneAtTheEnd also holds that a second emulator in the same place takes over.
func TestNamesAreGoneAtTheEnd(t *testing.T) {
	dir := t.TempDir()
	for range 2 {
		e, err := New(Config{Dir: dir})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- e.Run(ctx) }()
		<-e.Ready()
		if _, err := os.Stat(filepath.Join(dir, "modem0", "ppp")); err != nil {
			t.Error(err)
		}
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
			t.Errorf("left behind: %v, %v", left, err)
		}
	}
}

// TestAnotherKeepsItsNames: an emulator that is started where one runs says so and ends, and what runs is reached as before.
func TestAnotherKeepsItsNames(t *testing.T) {
	dir := t.TempDir()
	first := start(t, Config{Dir: dir})
	second, err := New(Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	if err := second.Run(t.Context()); !errors.Is(err, syscall.EADDRINUSE) {
		t.Fatalf("a second emulator in the same place: %v", err)
	}
	for _, path := range []string{first.Modem(0).ATPath(), first.Modem(0).PPPPath()} {
		if got := ttytest.Open(t, path).AT("AT"); !strings.Contains(got, "OK") {
			t.Errorf("%s: %q", path, got)
		}
	}
}
