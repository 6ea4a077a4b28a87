package fault_test

import (
	"strings"
	"testing"

	"minato/emulator/ttytest"
)

// muxFrame is a UIH frame of TS 27.010 from the user on DLCI 1.
func muxFrame(info string) string {
	header := []byte{0x07, 0xef, byte(len(info)<<1 | 1)}
	fcs := byte(0xff)
	for _, b := range header {
		fcs ^= b
		for range 8 {
			if low := fcs & 1; low == 1 {
				fcs = fcs>>1 ^ 0xe0
			} else {
				fcs >>= 1
			}
		}
	}
	return "\xf9" + string(header) + info + string([]byte{^fcs}) + "\xf9"
}

// multiplexed brings a port into multiplexer mode, with DLCI 1 open and without echo on it.
func multiplexed(w *world) *ttytest.User {
	w.t.Helper()
	u := w.ppp
	if got := u.AT("AT+CMUX=0,0,5,127"); got != "\r\nOK\r\n" {
		w.t.Fatalf("+CMUX gave %q", got)
	}
	u.Send("\xf9\x03\x3f\x01\x1c\xf9") // SABM on DLCI 0,
	u.Await("\x03\x73\x01\xd7\xf9")    // UA,
	u.Send("\xf9\x07\x3f\x01\xde\xf9") // and on DLCI 1
	u.Await("\x07\x73\x01\x15\xf9")
	u.Send(muxFrame("ATE0\r"))
	u.Await("OK\r\n")
	return u
}

const model = "\r\nEC25\r\n\r\nOK\r\n"

// closeDown takes the port out of multiplexer mode.
func closeDown(w *world, u *ttytest.User) {
	w.t.Helper()
	w.modem.Clear()
	u.Send("\xf9\x03\xef\x05\xc3\x01\xf2\xf9") // CLD
	w.ppp.Close()
	w.ppp = ttytest.Open(w.t, w.modem.PPPPath())
	w.ppp.AT("ATE0")
	w.recovered()
}

func TestCMUXSplit(t *testing.T) {
	w := newWorld(t)
	u := multiplexed(w)
	w.inject("cmux-split", "gap", "50ms")
	var reads []string
	apart := false
	for !apart && len(reads) < 100 { // a slow reader may see both at once
		u.Send(muxFrame("AT+CGMM\r"))
		for got := ""; !strings.Contains(got, model); {
			one := u.Read()
			reads = append(reads, one)
			apart = apart || strings.HasSuffix(one, "\xef\x1d") // the header is the end of it
			got += one
		}
	}
	if !apart {
		t.Errorf("header and information come together: %q", reads)
	}
	closeDown(w, u)
}

func TestCMUXN1(t *testing.T) {
	t.Run("down", func(t *testing.T) {
		w := newWorld(t)
		u := multiplexed(w)
		w.inject("cmux-n1", "n1", "10", "direction", "down")
		u.Send(muxFrame("AT+CGMM\r"))
		if got := u.Await("\xf9\x05\xef\x1d\r\nEC25\r\n\r\n") + u.Await("\xf9"); strings.Contains(got, "OK") {
			t.Errorf("the frame is whole: %q", got)
		}
		closeDown(w, u)
	})
	t.Run("up", func(t *testing.T) {
		w := newWorld(t)
		u := multiplexed(w)
		w.inject("cmux-n1", "n1", "7", "direction", "up")
		u.Send(muxFrame("AT+CGMM\r") + strings.Repeat("\xf9", 16)) // the last octet is lost
		u.Send(muxFrame("\r") + muxFrame("AT+C") + muxFrame("GMM\r"))
		u.Await(model)
		closeDown(w, u)
	})
}
