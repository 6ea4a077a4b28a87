package plc

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestPlantIsDeterministic(t *testing.T) {
	run := func(seed uint64) []Values {
		p := New(Config{Seed: seed})
		var out []Values
		for i := range 2000 {
			if i == 500 {
				p.SetValve(90)
			}
			p.Step()
			out = append(out, p.Values())
		}
		return out
	}
	if diff := cmp.Diff(run(7), run(7)); diff != "" {
		t.Errorf("two runs with one seed differ (-first +second):\n%s", diff)
	}
	if cmp.Equal(run(7), run(8)) {
		t.Error("two seeds gave the same run")
	}
}

func TestController(t *testing.T) {
	p := New(Config{Seed: 1})
	low, high := 100.0, 0.0
	for i := range 5000 {
		p.Step()
		if v := p.Values(); i > 1000 {
			low, high = min(low, v.Level), max(high, v.Level)
		}
	}
	if low < 54 || high > 64 || high-low < 2 {
		t.Errorf("level between %.1f and %.1f %%, want it to swing around 56 to 60", low, high)
	}
}

func TestPumpTripsAtHighLevel(t *testing.T) {
	p := New(Config{})
	p.SetValve(0)
	if err := p.SetPump(true); err != nil {
		t.Fatal(err)
	}
	for range 1000 {
		p.Step()
	}
	if v := p.Values(); v.Pump || !v.HighLevel || v.Level >= 100 {
		t.Errorf("after filling: %+v, want the pump tripped below 100 %%", v)
	}
	if err := p.SetPump(true); !errors.Is(err, ErrTankFull) {
		t.Errorf("SetPump = %v, want ErrTankFull", err)
	}
}

func TestSubscribeGivesTheNewest(t *testing.T) {
	tick := make(chan time.Time)
	p := New(Config{Tick: func(time.Duration) (<-chan time.Time, func()) { return tick, func() {} }})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- p.Run(ctx) }()
	changes, stop := p.Subscribe()
	for range 10 {
		tick <- time.Time{}
	}
	cancel()
	if err := <-done; err != nil {
		t.Errorf("Run = %v", err)
	}
	if got := (<-changes).Uptime; got != 10*StepInterval {
		t.Errorf("uptime = %v, want that of the tenth step", got)
	}
	stop()
	p.Step()
	select {
	case v := <-changes:
		t.Errorf("a change after stop: %+v", v)
	default:
	}
}

// TestRegisterMap compares the printed map with the one that people were given.
func TestRegisterMap(t *testing.T) {
	var b strings.Builder
	if err := WriteRegisterMap(&b); err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile("testdata/registers.txt")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), b.String()); diff != "" {
		t.Errorf("register map (-want +got):\n%s", diff)
	}
}
