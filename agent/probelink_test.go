package agent

import (
	"context"
	"errors"
	"log/slog"
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
func probing(t *testing.T, p ProbeConfig) *Agent { return probingWith(t, p, "", nil) }

func probingWith(t *testing.T, p ProbeConfig, stateDir string, log *slog.Logger) *Agent {
	p.Target = "dns"
	a, err := New(Config{
		StateDir: stateDir,
		Logger:   log,
		Modem:    ModemConfig{Port: "/dev/null"},
		Services: []ServiceConfig{{Name: "web", Port: 80, Target: "tcp://127.0.0.1:9"}},
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
				a.ladder.state.noteAnswer("dns on soracom.io")
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

// TestProbeOfADeadStart: a link that was dead before the agent started is found as any other, where an earlier process was answered.
func TestProbeOfADeadStart(t *testing.T) {
	dir := t.TempDir()
	var dead atomic.Bool
	for _, process := range []string{"that is answered", "that starts into silence"} {
		synctest.Test(t, func(t *testing.T) {
			a := probingWith(t, ProbeConfig{}, dir, nil)
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			for range 3 { // links
				var asked atomic.Int64
				err := (&round{agent: a}).probe(ctx, silenced(&asked, func() bool { return dead.Load() }))
				if errors.Is(err, errProbe) != dead.Load() || dead.Load() && asked.Load() != 3 {
					t.Errorf("a process %s: %v after %d questions", process, err, asked.Load())
				}
			}
		})
		dead.Store(true)
	}
}

// TestProbeThatNothingEverAnswered: it ends one link, which may have been dead from the start, and then none, until something answers.
func TestProbeThatNothingEverAnswered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log logBook
		a := probingWith(t, ProbeConfig{}, "", slog.New(slog.NewTextHandler(&log, nil)))
		var asked atomic.Int64
		r := &round{agent: a}
		always := func() bool { return true }
		if err := r.probe(t.Context(), silenced(&asked, always)); !errors.Is(err, errProbe) || asked.Load() != 3 {
			t.Errorf("the first link: %v after %d questions", err, asked.Load())
		}
		for range 2 {
			asked.Store(0)
			ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
			if err := r.probe(ctx, silenced(&asked, always)); err != nil {
				t.Errorf("a later link ended with %v", err)
			}
			cancel()
			slow := int64(time.Hour / (maxTrusted * a.cfg.Probe.Interval))
			if n := asked.Load(); n < slow-5 || n > slow+5 {
				t.Errorf("%d questions in an hour, want about %d", n, slow)
			}
		}
		if w := log.warnings(); len(w) != 1 {
			t.Errorf("warnings: %q", w)
		}
		began := time.Now()
		one := func() bool { d := time.Since(began); return d < 10*time.Minute || d > 12*time.Minute }
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		if err := r.probe(ctx, silenced(&asked, one)); !errors.Is(err, errProbe) || time.Since(began) > 13*time.Minute {
			t.Errorf("a link that was answered from the tenth to the twelfth minute: %v after %v", err, time.Since(began))
		}
	})
}

// silenced is a link that carries nothing while dead says so.
func silenced(asked *atomic.Int64, dead func() bool) *link {
	return &link{
		network:  deafNetwork{asked: asked, answers: func(int) bool { return !dead() }},
		dns:      toldDNS,
		received: func() uint64 { return 0 },
	}
}
