package unattended

import (
	"fmt"
	"testing"
	"time"

	"minato/agent"
	"minato/emulator"
	"minato/testbench/env"
)

// What was promised, with the timers that are shipped.
const (
	maxFound    = 15 * time.Second // from a link that dies to the cure that begins
	maxRecovery = 30 * time.Second // and to a screen that can be seen
)

// deaths are the ways in which a link dies. Those that last end when the agent has found out.
var deaths = []struct {
	fault    string
	params   map[string]string
	promised bool // the recovery too
}{
	{"no-carrier", nil, true},
	{"detach", nil, true},
	{"deact", nil, false},
	{"terminate-request", nil, false},
	{"reboot", nil, true},
	{"port-vanish", map[string]string{"suffix": ""}, true},
	{"silent-link", nil, true},
	{"silent-link", map[string]string{"lcp": "true"}, true},
	{"echo-loss", nil, false},
}

// TestRecovery measures how long a link that died takes to be found dead and to be back, on the program and with a modem as slow as a
// real one. Each death is that of the first link of its agent: one that comes soon after another has the agent wait, as it should.
// Only a soak runs it, which has the machine to itself: what the agent notices and does is held by TestFaultTable, and how long that
// may take with the shipped timers is computed by the agent's own test.
func TestRecovery(t *testing.T) {
	if *soak == 0 {
		return
	}
	t.Parallel()
	type figure struct {
		Death    string  `json:"death"`
		Found    float64 `json:"cure_started_seconds"`
		Recovery float64 `json:"recovered_seconds"`
	}
	var figures []figure
	for _, d := range deaths {
		name := d.fault
		for k, v := range d.params {
			name += fmt.Sprintf(" %s=%s", k, v)
		}
		t.Run(name, func(t *testing.T) {
			e := startEmulator(t, emulator.Config{Delay: 1})
			found, took := die(t, e, d.fault, d.params)
			figures = append(figures, figure{name, found.Seconds(), took.Seconds()})
			progress("%s: cure started after %.1f s, recovered after %.1f s", name, found.Seconds(), took.Seconds())
			if found > maxFound {
				t.Errorf("the cure started after %v, at most %v are allowed", found, maxFound)
			}
			if took > maxRecovery && d.promised {
				t.Errorf("recovered after %v, at most %v are allowed", took, maxRecovery)
			}
		})
	}
	keep(t, "recovery", "recovery from each way in which a link dies", figures)
}

// die has the link of a fresh agent die, and measures.
func die(t *testing.T, e *emulator.Emulator, fault string, params map[string]string) (found, recovered time.Duration) {
	ctx, m := within(t), e.Modem(0)
	p := newPlace(t, m.ATPath(), m.PPPPath(), e.ControlAddr(), 0)
	p.start(t)
	err := p.awaitHealthy(ctx, e)
	var before agent.Status
	if err == nil {
		err = env.Await(ctx, "a probe", func() (ok bool, err error) {
			before, err = p.status(ctx)
			return before.Probe != nil && before.Probe.RTT > 0, err
		})
	}
	begin := time.Now()
	if err == nil {
		err = m.Inject(fault, params)
	}
	if err == nil {
		err = env.Await(ctx, "the cure", func() (bool, error) { // the failure is told when the next round, or a cure, begins
			s, err := p.status(ctx)
			return count(s) > count(before), err
		})
	}
	found = time.Since(begin)
	if err == nil {
		m.Clear()
		err = p.awaitHealthy(ctx, e)
	}
	if err != nil {
		t.Fatal(err)
	}
	return found, time.Since(begin)
}

func count(s agent.Status) (n int) {
	for _, c := range s.Failures {
		n += c
	}
	return n
}
