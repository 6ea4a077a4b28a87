package agent

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// deafNetwork takes questions, and answers where answers says so of the nth packet of a question; nil: never.
type deafNetwork struct {
	network
	asked   *atomic.Int64
	answers func(nth int) bool
}

func (n deafNetwork) DialContext(context.Context, string, string) (net.Conn, error) {
	n.asked.Add(1)
	near, far := net.Pipe()
	go func() { // ends with near, which the question closes
		b := make([]byte, 64)
		for nth := 1; ; nth++ {
			k, err := far.Read(b)
			if err != nil {
				return
			}
			if n.answers != nil && n.answers(nth) {
				b[2] |= 0x80
				far.Write(b[:k])
			}
		}
	}()
	return near, nil
}

// probing is an agent with the timers that are shipped, and a probe.
func probing(t *testing.T, p ProbeConfig) *Agent {
	p.Target = "dns"
	a, err := New(Config{
		Modem:    ModemConfig{Port: "/dev/null"},
		Services: []ServiceConfig{{Name: "web", Port: 80, Target: "builtin:http"}},
		Probe:    p,
	})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

var toldDNS = []netip.Addr{netip.MustParseAddr("100.127.0.53")}

// TestProbeOfALossyLink: one packet that is lost is no answer that fails to come.
func TestProbeOfALossyLink(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := probing(t, ProbeConfig{Failures: 1})
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour+3*time.Second) // between two questions, which are six seconds apart
		defer cancel()
		var asked atomic.Int64
		l := &link{
			network:  deafNetwork{asked: &asked, answers: func(nth int) bool { return nth == 2 }},
			dns:      toldDNS,
			received: func() uint64 { return 0 },
		}
		if err := (&round{agent: a}).probe(ctx, l); err != nil {
			t.Errorf("the link ended with %v after %d questions", err, asked.Load())
		}
		if asked.Load() < 500 {
			t.Errorf("%d questions in an hour", asked.Load())
		}
	})
}

// TestProbeAfterTraffic: whatever a link carried, and whenever it dies, that is found after the interval and the failures.
func TestProbeAfterTraffic(t *testing.T) {
	for _, every := range []time.Duration{time.Hour, 30 * time.Millisecond, 700 * time.Millisecond, 2 * time.Second, 4900 * time.Millisecond, 7 * time.Second} {
		for died := time.Minute; died < 75*time.Second; died += 1700 * time.Millisecond {
			synctest.Test(t, func(t *testing.T) {
				a := probing(t, ProbeConfig{})
				began := time.Now()
				var asked atomic.Int64
				l := &link{
					network:  deafNetwork{asked: &asked, answers: func(int) bool { return time.Since(began) < died }},
					dns:      toldDNS,
					received: func() uint64 { return uint64(min(time.Since(began), died) / every) },
				}
				err := (&round{agent: a}).probe(t.Context(), l)
				if !errors.Is(err, errProbe) {
					t.Errorf("the link ended with %v", err)
				}
				c := a.cfg.Probe
				late := time.Since(began) - died
				if most := c.Interval + time.Duration(c.Failures)*c.Timeout; late > most || late < 0 {
					t.Errorf("a packet every %v, dead after %v: found %v later, at most %v are allowed", every, died, late, most)
				}
			})
		}
	}
}

// TestProbeUnderLoad: while packets come in, an answer that fails to come does not end the link at once, and for ever it does not hold it either.
func TestProbeUnderLoad(t *testing.T) {
	for _, tt := range []struct {
		name  string
		packs func(second int) uint64 // that have come by then
		asked int64                   // questions until the link ends
	}{
		{"silence", func(int) uint64 { return 1 }, 3},
		{"traffic", func(s int) uint64 { return uint64(s) }, maxCrowded + 3},
		{"traffic with pauses", func(s int) uint64 { return uint64(s / 4) }, 5},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := probing(t, ProbeConfig{Interval: 6 * time.Second, Timeout: 2 * time.Second, Failures: 3})
				a.probed.Store(true)
				began := time.Now()
				var asked atomic.Int64
				l := &link{
					network:  deafNetwork{asked: &asked},
					dns:      toldDNS,
					received: func() uint64 { return tt.packs(1 + int(time.Since(began).Seconds())) },
				}
				err := (&round{agent: a}).probe(t.Context(), l)
				if !errors.Is(err, errProbe) {
					t.Errorf("the link ended with %v", err)
				}
				if n := asked.Load(); n != tt.asked {
					t.Errorf("%d questions, want %d", n, tt.asked)
				}
			})
		})
	}
}
