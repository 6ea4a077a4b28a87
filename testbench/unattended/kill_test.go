package unattended

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"minato/agent"
	"minato/emulator"
)

// killed are the kinds of devices on which agents are killed: a modem is left in another state by each.
var killed = []struct {
	name    string
	onePort bool
	more    string // of the modem's configuration
}{
	{name: "two ports"},
	{name: "one port", onePort: true},
	{name: "one port without a multiplexer", onePort: true, more: "off"},
}

// TestKills kills the program at any moment of any of its states, and starts it again: it has to get to the next state that it is to
// be killed in, and at last online with its screen to be seen.
func TestKills(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(pickSeed(t), 0))
	var states []agent.State // in turn, so that none is left out
	for s := agent.StatePort; s <= agent.StateOnline; s++ {
		states = append(states, s)
	}
	random.Shuffle(len(states), func(i, j int) { states[i], states[j] = states[j], states[i] })
	hits := map[string]int{}
	for i, k := range killed {
		t.Run(k.name, func(t *testing.T) {
			e := startEmulator(t, emulator.Config{})
			at, ppp := e.Modem(0).ATPath(), e.Modem(0).PPPPath()
			if k.onePort {
				ppp = ""
			}
			p := newPlace(t, at, ppp, e.ControlAddr(), 0)
			if k.more != "" {
				p.withCMUX(t, k.more)
			}
			for n := i; n < *kills; n += len(killed) {
				state, late := states[n%len(states)], time.Duration(random.IntN(30_000))*time.Microsecond
				begin := time.Now()
				r := p.start(t)
				if err := r.await(within(t), state); err != nil {
					t.Fatalf("kill %d, in state %s: %v", n, state, err)
				}
				<-time.After(late)
				r.kill()
				hits[state.String()]++
				progress("kill %d of %d (%s): in state %s, after %v", n+1, *kills, k.name, state, time.Since(begin).Round(time.Millisecond))
			}
			begin := time.Now()
			p.start(t)
			ctx := within(t)
			err := p.awaitOnline(ctx)
			if err == nil {
				err = awaitView(ctx, e, 0)
			}
			if err != nil {
				t.Fatalf("after the last kill: %v", err)
			}
			t.Logf("the screen is seen %v after the last start", time.Since(begin).Round(time.Millisecond))
		})
	}
	keep(t, "kills", fmt.Sprintf("%d kills, none left an agent stuck", *kills), hits)
	if *kills >= len(states) && len(hits) < len(states) {
		t.Errorf("killed in %v only", slices.Sorted(maps.Keys(hits)))
	}
}

// await waits until the process enters a state.
func (r *process) await(ctx context.Context, s agent.State) error {
	var seen []string
	for {
		select {
		case line, ok := <-r.lines:
			if !ok {
				return fmt.Errorf("it ended by itself: %s", r.stderr)
			}
			if line["msg"] == "state" {
				seen = append(seen, fmt.Sprint(line["state"]))
			}
			if line["msg"] == "state" && line["state"] == s.String() || line["msg"] == "online" && s == agent.StateOnline {
				return nil
			}
		case <-ctx.Done():
			return fmt.Errorf("%w; its states were: %s", context.Cause(ctx), strings.Join(seen, " "))
		}
	}
}
