package fault_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"minato/agent/ppp"
	"minato/emulator"
	"minato/emulator/ttytest"
)

func TestNoCarrier(t *testing.T) {
	w := newWorld(t)
	l := w.call()
	w.inject("no-carrier")
	if err := l.End(); !errors.Is(err, ppp.ErrNoCarrier) {
		t.Errorf("the link ended with %v", err)
	}
	w.ppp.Await("\r\nNO CARRIER\r\n")
	w.recovered()
}

func TestTerminateRequest(t *testing.T) {
	w := newWorld(t)
	if err := w.modem.Inject("terminate-request", nil); err == nil || !strings.Contains(err.Error(), "no data call") {
		t.Errorf("without a call: %v", err)
	}
	l := w.call()
	w.inject("terminate-request")
	if err := l.End(); !errors.Is(err, ppp.ErrPeerTerminated) {
		t.Errorf("the link ended with %v", err)
	}
	w.ppp.Await("\r\nNO CARRIER\r\n")
	if got := w.at.AT("AT+CEREG?"); !strings.Contains(got, "+CEREG: 1,1") {
		t.Errorf("the modem says %q", got)
	}
	w.recovered()
}

func TestSilentLink(t *testing.T) {
	w := newWorld(t)
	l := w.call()
	w.inject("silent-link", "lcp", "true")
	if !w.online() {
		t.Error("the session has ended")
	}
	w.modem.Clear()
	w.hangUp(l)
	w.recovered()
}

// quickEcho makes a client find a dead link within a second.
var quickEcho = ppp.Config{EchoInterval: 100 * time.Millisecond, EchoFailures: 5}

func TestEchoLoss(t *testing.T) {
	for _, ip := range []string{"true", "false"} {
		t.Run("ip="+ip, func(t *testing.T) {
			w := newWorld(t)
			l := w.dialUp() // without echoes: whether packets pass must not depend on what a busy machine takes for a ping
			w.inject("echo-loss", "ip", ip)
			ping(t, w, l, ip == "true")
			w.hangUp(l)
			if err := w.dial(quickEcho).End(); !errors.Is(err, ppp.ErrDeadLink) {
				t.Errorf("the link ended with %v", err)
			}
			w.ppp.Await("\r\nNO CARRIER\r\n")
			w.recovered()
		})
	}
}

func TestLoopback(t *testing.T) {
	t.Run("at the start", func(t *testing.T) {
		w := newWorld(t)
		w.inject("loopback")
		if err := w.dial(ppp.Config{}).End(); !errors.Is(err, ppp.ErrLoopback) {
			t.Errorf("the link ended with %v", err)
		}
		w.modem.Clear()
		w.inject("no-carrier") // the modem's own end is still there
		w.ppp.Await("\r\nNO CARRIER\r\n")
		w.recovered()
	})
	t.Run("in a call", func(t *testing.T) {
		w := newWorld(t)
		l := w.dial(quickEcho)
		l.Await()
		w.inject("loopback")
		if err := l.End(); !errors.Is(err, ppp.ErrDeadLink) { // our own echo requests are no answers
			t.Errorf("the link ended with %v", err)
		}
		w.modem.Clear()
		w.inject("no-carrier")
		w.ppp.Await("\r\nNO CARRIER\r\n")
		w.recovered()
	})
}

func TestFCSErrors(t *testing.T) {
	for _, tt := range []struct {
		direction string
		up, down  bool // what is thrown away
	}{
		{"up", true, false}, {"down", false, true}, {"both", true, true},
	} {
		t.Run(tt.direction, func(t *testing.T) {
			w := newWorld(t)
			l := w.dial(ppp.Config{EchoInterval: 5 * time.Millisecond, EchoFailures: 1_000_000})
			l.Await()
			w.inject("fcs-errors", "rate", "30", "direction", tt.direction)
			deadline := time.After(ttytest.Patience)
			tick := time.NewTicker(time.Millisecond)
			defer tick.Stop()
			for up, down := false, false; up != tt.up || down != tt.down; {
				select {
				case <-deadline:
					t.Fatalf("up %v, down %v", up, down)
				case <-tick.C:
				}
				up, down = w.modem.Status().Calls[0].BadFCS > 0, l.Conn.Stats().BadFCS > 0
				if up && !tt.up || down && !tt.down {
					t.Fatalf("up %v, down %v", up, down)
				}
			}
			w.modem.Clear()
			w.hangUp(l)
			w.recovered()
		})
	}
}

func TestAuthRefused(t *testing.T) {
	w := newWorld(t)
	l := w.call()
	w.inject("auth-refused")
	w.hangUp(l) // it was up, and stayed up
	if err := w.dial(ppp.Config{}).End(); !errors.Is(err, ppp.ErrAuthRefused) {
		t.Errorf("the link ended with %v", err)
	}
	w.ppp.Await("\r\nNO CARRIER\r\n")
	w.recovered()
}

func TestIPCPSilent(t *testing.T) {
	w := newWorld(t)
	w.inject("ipcp-silent")
	events, stop := w.events(emulator.FromNow)
	defer stop()
	l := w.dial(ppp.Config{RestartInterval: 200 * time.Millisecond}) // ten of them for LCP and authentication, too: the machine may be busy
	if err := l.End(); !errors.Is(err, ppp.ErrNoAddress) {
		t.Errorf("the link ended with %v", err)
	}
	w.ppp.Await("\r\nNO CARRIER\r\n")
	events.await(func(e emulator.Event) bool {
		if e.Type == "session" {
			t.Errorf("the network was asked for a session: %+v", e)
		}
		return e.Type == "call" && e.State == "ended"
	})
	w.recovered()
}

func TestDNSNak(t *testing.T) {
	w := newWorld(t)
	w.inject("dns-nak")
	if err := w.dial(ppp.Config{}).End(); !errors.Is(err, ppp.ErrNoAddress) {
		t.Errorf("the link ended with %v", err)
	}
	w.ppp.Await("\r\nNO CARRIER\r\n")
	w.recovered()
}

// ping sends an echo request to the gateway; it is answered or not.
func ping(t *testing.T, w *world, l *ttytest.Link, answered bool) {
	t.Helper()
	p := l.Conn.Params()
	got := make(chan struct{}, 1)
	l.Conn.Attach(func([]byte) {
		select {
		case got <- struct{}{}:
		default:
		}
	}, nil)
	request := icmpEcho(p.Local.As4(), [4]byte{100, 127, 0, 1})
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	patience := ttytest.Patience
	if !answered {
		patience = 100 * time.Millisecond
	}
	deadline := time.After(patience)
	for {
		if err := l.Conn.WritePackets([][]byte{request}); err != nil {
			t.Fatal(err)
		}
		select {
		case <-got:
			if !answered {
				t.Error("a packet came back")
			}
			return
		case <-tick.C:
		case <-deadline:
			if answered {
				t.Error("no packet comes back")
			}
			return
		}
	}
}

// icmpEcho is an ICMP echo request (RFC 792) in an IPv4 packet.
func icmpEcho(from, to [4]byte) []byte {
	p := []byte{0x45, 0, 0, 28, 0, 1, 0, 0, 64, 1, 0, 0}
	p = append(append(p, from[:]...), to[:]...)
	p[10], p[11] = checksum(p)
	icmp := []byte{8, 0, 0, 0, 0, 1, 0, 1}
	icmp[2], icmp[3] = checksum(icmp)
	return append(p, icmp...)
}

func checksum(b []byte) (hi, lo byte) {
	sum := uint32(0)
	for i := 0; i < len(b); i += 2 {
		sum += uint32(b[i])<<8 | uint32(b[i+1])
	}
	for sum>>16 > 0 {
		sum = sum&0xffff + sum>>16
	}
	return byte(^sum >> 8), byte(^sum)
}
