package fault_test

import (
	"errors"
	"io/fs"
	"os"
	"strings"
	"testing"
	"time"

	"minato/agent/ppp"
	"minato/emulator"
	"minato/emulator/ttytest"
)

func TestFragments(t *testing.T) {
	w := newWorld(t)
	w.inject("fragments", "port", "at", "gap", "200ms")
	w.at.Send("AT+CSQ\r")
	first := w.at.Read()
	w.modem.Clear() // the rest comes at once
	if len(first) >= len(csq)/2 || first+w.at.Await("OK\r\n") != csq {
		t.Errorf("the answer begins with %q", first)
	}
	w.inject("fragments", "port", "at", "gap", "0s")
	if got := w.ppp.AT("AT+CSQ"); got != csq {
		t.Errorf("the other port: %q", got)
	}
	w.inject("fragments", "data", "true", "size", "100", "gap", "0s")
	w.hangUp(w.call())
	w.recovered()
}

func TestBaudMismatch(t *testing.T) {
	w := newWorld(t)
	w.at.AT("AT+CNMI=2,1")
	w.inject("baud-mismatch", "baud", "9600")
	w.at.Send("AT+CSQ\r") // at 115200 nothing is understood
	if got := w.at.Quiet(20 * time.Millisecond); strings.Contains(got, "CSQ") {
		t.Errorf("at another speed: %q", got)
	}
	w.inject("sms-flood", "count", "1")
	if got := w.at.Read(); strings.ContainsFunc(got, func(r rune) bool { return r >= '0' && r <= 'z' }) {
		t.Errorf("the user reads %q", got)
	}
	w.at.SetSpeed(9600)
	w.at.AwaitAnswer("AT+CSQ", "\r\n+CSQ: 30,99\r\n")
	w.at.SetSpeed(115200)
	w.recovered()
}

func TestStalledReader(t *testing.T) {
	w := newWorld(t)
	w.inject("stalled-reader", "port", "at")
	w.at.Send("AT+CSQ\r")
	if got := w.ppp.AT("AT+CGMM"); got != "\r\nEC25\r\n\r\nOK\r\n" {
		t.Errorf("the other port: %q", got)
	}
	// What is written piles up in the kernel until it takes no more.
	n, err := w.at.Write(make([]byte, 256<<10), 500*time.Millisecond)
	if !errors.Is(err, os.ErrDeadlineExceeded) || n > 64<<10 {
		t.Errorf("the modem took %d bytes, %v", n, err)
	}
	if got := w.at.Quiet(10 * time.Millisecond); got != "" {
		t.Errorf("the modem answers %q", got)
	}
	w.modem.Clear()
	if got := w.at.Answer(); got != csq {
		t.Errorf("what has piled up is answered with %q", got)
	}
	w.recovered()
}

// TestStalledReaderEnds holds that a modem which hangs can be switched off, and that a call on it ends.
func TestStalledReaderEnds(t *testing.T) {
	w := newWorld(t)
	l := w.call()
	w.inject("stalled-reader")
	if err := w.modem.Inject("no-carrier", nil); err != nil {
		t.Fatal(err)
	}
	if err := l.End(); !errors.Is(err, ppp.ErrNoCarrier) {
		t.Errorf("the link ended with %v", err)
	}
}

func TestPortVanish(t *testing.T) {
	w := newWorld(t)
	l := w.call()
	w.inject("port-vanish", "port", "ppp", "after", "1ms", "suffix", "-new")
	if err := l.End(); err == nil || errors.Is(err, ppp.ErrNoCarrier) {
		t.Errorf("the link ended with %v", err)
	}
	path := awaitPath(t, w, "/ppp-new")
	if _, err := os.Stat(strings.TrimSuffix(path, "-new")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the old name: %v", err)
	}
	if got := w.at.AT("AT+CGMM"); got != "\r\nEC25\r\n\r\nOK\r\n" {
		t.Errorf("the other port: %q", got)
	}
	w.ppp = ttytest.Open(t, path)
	w.ppp.AT("ATE0")
	w.ppp.Registered()
	w.hangUp(w.dialUp())
	w.modem.Clear()
	w.ppp.AwaitEnd()
	if got := w.modem.PPPPath(); got+"-new" != path {
		t.Errorf("the port has the name %s again", got)
	}
	w.ppp = ttytest.Open(t, w.modem.PPPPath())
	w.ppp.AT("ATE0")
	w.recovered()
}

// TestPortVanishClearedEarly: the fault ends before the port is back.
func TestPortVanishClearedEarly(t *testing.T) {
	w := newWorld(t)
	events, stop := w.events(emulator.FromNow)
	defer stop()
	w.inject("port-vanish", "after", "1h", "reset", "true")
	w.at.AwaitEnd()
	w.ppp.AwaitEnd()
	if _, err := os.Stat(w.modem.ATPath()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the name: %v", err)
	}
	if err := w.modem.Inject("baud-mismatch", nil); err != nil { // a fault of the line hits devices to come
		t.Error(err)
	}
	w.modem.ClearFault("port-vanish")
	w.modem.Clear()
	events.await(func(e emulator.Event) bool { return e.Type == "boot" && e.State == "ready" })
	w.ppp = ttytest.Open(t, w.modem.PPPPath())
	w.ppp.AT("ATE0")
	w.ppp.AT(`AT+CGDCONT=1,"IP","soracom.io"`)
	w.recovered()
}

// TestPortVanishSameName: another device behind the same name.
func TestPortVanishSameName(t *testing.T) {
	w := newWorld(t)
	events, stop := w.events(emulator.FromNow)
	defer stop()
	w.inject("port-vanish", "port", "at", "after", "0s", "suffix", "")
	w.at.AwaitEnd()
	events.await(func(e emulator.Event) bool { return e.Type == "port" && e.State == "there" })
	w.at = ttytest.Open(t, w.modem.ATPath())
	w.modem.Clear() // changes nothing: it is back
	if got := w.at.AT("ATE0"); got != "ATE0\r\r\nOK\r\n" {
		t.Errorf("the new device: %q", got)
	}
	w.recovered()
}

func awaitPath(t *testing.T, w *world, suffix string) string {
	t.Helper()
	deadline := time.After(ttytest.Patience)
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !strings.HasSuffix(w.modem.PPPPath(), suffix) {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("the port has the name %s", w.modem.PPPPath())
		}
	}
	for {
		if _, err := os.Stat(w.modem.PPPPath()); err == nil {
			return w.modem.PPPPath()
		}
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatal("the port does not come back")
		}
	}
}

// TestFaultsOfOneModemOnly: the other modem answers as ever, whatever the first suffers.
func TestFaultsOfOneModemOnly(t *testing.T) {
	w := newWorldOf(t, emulator.Config{Modems: 2})
	other := ttytest.Open(t, w.e.Modem(1).ATPath())
	other.AT("ATE0")
	for _, name := range []string{"stalled-reader", "late-reply", "baud-mismatch", "echo-on", "sim-out", "port-vanish", "sms-flood", "reboot"} {
		w.inject(name)
		if got := other.AT("AT+CSQ;+CPIN?"); got != "\r\n+CSQ: 30,99\r\n\r\n+CPIN: READY\r\n\r\nOK\r\n" {
			t.Errorf("with %s on the other, the modem says %q", name, got)
		}
	}
	if n := len(w.e.Modem(1).Status().Faults); n != 0 {
		t.Errorf("%d faults are active", n)
	}
	w.modem.Clear()
}

// TestSocketsHaveFaultsToo: a connection that comes after the fault is hit by it.
func TestSocketsHaveFaultsToo(t *testing.T) {
	w := newWorld(t)
	w.inject("fragments", "size", "3", "gap", "1ms")
	u := ttytest.Dial(t, "unix", w.modem.SocketPath())
	if got := u.AT("AT"); got != "AT\r\r\nOK\r\n" {
		t.Errorf("got %q", got)
	}
	w.inject("baud-mismatch") // a socket has no speed
	if got := u.AT("AT"); got != "AT\r\r\nOK\r\n" {
		t.Errorf("got %q", got)
	}
	w.inject("stalled-reader")
	u.Close()
	w.recovered()
}
