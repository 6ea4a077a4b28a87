package unattended

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"minato/agent"
	"minato/emulator"
	"minato/emulator/fault"
	"minato/testbench/env"
)

// pickSeed tells the seed, so that what failed can be had again.
func pickSeed(t testing.TB) uint64 {
	s := *seed
	if s == 0 {
		s = rand.Uint64N(1 << 32)
	}
	t.Logf("seed %d", s)
	progress("%s: seed %d", t.Name(), s)
	return s
}

// progress is a line for somebody who waits.
func progress(format string, args ...any) {
	if *soak > 0 {
		fmt.Fprintf(os.Stderr, "%s "+format+"\n", append([]any{time.Now().Format(time.TimeOnly)}, args...)...)
	}
}

var keeping sync.Mutex // of the result files

// keep tells a result, and writes it into a file of its own where -out says so.
func keep(t testing.TB, name, summary string, figures any) {
	t.Helper()
	b, err := json.MarshalIndent(map[string]any{"test": t.Name(), "summary": summary, "passed": !t.Failed(), "figures": figures}, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%s", b)
	progress("%s", summary)
	if *out == "" {
		return
	}
	keeping.Lock()
	defer keeping.Unlock()
	if err := os.MkdirAll(*out, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(*out, name+".json"), append(b, '\n'), 0o644); err != nil {
		t.Fatal(err)
	}
}

// every is how often something goes wrong in a soak.
const every = 5 * time.Second

// taste is how long faults come where nobody asked for a soak.
const taste = 15 * time.Second

// settled bounds the time that a device takes, after all faults are over, until it is as if nothing had been: an agent that waits for
// a person looks again every minute, and may restart a modem once more.
const settled = 4 * time.Minute

// TestRandomFaults has something go wrong every few seconds, whatever the state, on a modem as slow as a real one in a soak. In the
// end the device is online, and its process is what it was.
func TestRandomFaults(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(pickSeed(t), 1))
	long, delay := *soak, 1.0
	if long == 0 {
		long, delay = taste, 0
	}
	e := startEmulator(t, emulator.Config{Delay: delay})
	m := e.Modem(0)
	p := newPlace(t, m.ATPath(), m.PPPPath(), e.ControlAddr(), 0)
	p.withPIN(t, "1234") // that of the fault sim-pin
	p.start(t)
	ctx, cancel := context.WithTimeout(t.Context(), long+settled)
	defer cancel()
	if err := p.awaitHealthy(ctx, e); err != nil {
		t.Fatal(err)
	}
	before, err := p.footprint(ctx)
	if err != nil {
		t.Fatal(err)
	}
	var peaks [4]footprint // of each quarter
	counts, online, looks := map[string]int{}, 0, 0
	begin := time.Now()
	tick := time.NewTicker(every)
	defer tick.Stop()
	for time.Since(begin) < long {
		name, err := spoil(m, random, delay > 0)
		if err == nil {
			counts[name]++
		}
		<-tick.C
		now, err := p.footprint(ctx)
		if err != nil {
			t.Fatalf("after %s: %v", name, err)
		}
		s, _ := p.status(ctx)
		if looks++; s.State == agent.StateOnline {
			online++
		}
		q := &peaks[min(int(4*time.Since(begin)/long), 3)]
		q.RSS, q.Goroutines, q.CPU = max(q.RSS, now.RSS), max(q.Goroutines, now.Goroutines), now.CPU
		progress("%s of %s: %s; %s; %.1f MB, %.0f goroutines", time.Since(begin).Round(time.Second), long, name, s.State, now.RSS/1e6, now.Goroutines)
	}
	m.Clear()
	over := time.Now()
	if err := p.awaitHealthy(ctx, e); err != nil {
		t.Fatalf("the faults are over, and the device is not well: %v", err)
	}
	back := time.Since(over)
	var after footprint
	if err := env.Await(ctx, "the last viewer's goroutines to end", func() (ok bool, err error) {
		after, err = p.footprint(ctx)
		return after.Goroutines <= before.Goroutines+3, err
	}); err != nil {
		t.Errorf("%.0f goroutines before, %.0f after: %v", before.Goroutines, after.Goroutines, err)
	}
	if after.RSS > before.RSS+maxGrowth || peaks[3].RSS > peaks[1].RSS+maxGrowth && *soak > 0 {
		t.Errorf("resident memory grows: %.1f MB before, %.1f MB after; peaks of the quarters %+v", before.RSS/1e6, after.RSS/1e6, peaks)
	}
	keep(t, "random-faults", fmt.Sprintf("a fault every %s for %s: healthy %s after the last", every, long, back.Round(100*time.Millisecond)), map[string]any{
		"faults": counts, "online_share": float64(online) / float64(max(looks, 1)), "recovery_seconds": back.Seconds(),
		"before": before, "after": after, "peaks_of_quarters": peaks,
	})
}

// maxGrowth is what the garbage collector's habits may add to the resident memory, in octets.
const maxGrowth = 8e6

// spoil injects a fault, chosen at random, for a time chosen at random.
func spoil(m *emulator.Modem, random *rand.Rand, all bool) (name string, err error) {
	for {
		f := fault.All[random.IntN(len(fault.All))]
		last := time.Duration(1+random.IntN(10)) * time.Second
		if f.Momentary {
			last = 0
		}
		if !all && needsPatience[f.Name] {
			continue
		}
		params := map[string]string{}
		if f.Name == fault.PortVanish.Name {
			params["suffix"] = "" // on a device with a udev rule the name stays
		}
		return f.Name, m.InjectFor(f.Name, params, last)
	}
}

// needsPatience are the faults whose cure comes after a minute's pause.
var needsPatience = map[string]bool{"sim-puk": true, "registration-denied": true, "auth-refused": true}

// awaitHealthy waits until the device is online and its screen can be seen.
func (p *place) awaitHealthy(ctx context.Context, e *emulator.Emulator) error {
	if err := p.awaitOnline(ctx); err != nil {
		return err
	}
	return env.Await(ctx, "the device's screen", func() (bool, error) {
		vctx, cancel := context.WithTimeout(ctx, 20*time.Second)
		defer cancel()
		err := view(vctx, e, 0)
		return err == nil, err
	})
}
