package unattended

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"minato/agent"
	"minato/emulator"
	"minato/emulator/dce"
)

// wirings are the ways in which a modem is connected to its device.
var wirings = []struct {
	name    string
	onePort bool
	cmux    string
}{
	{name: "every port"},
	{name: "one port", onePort: true}, // multiplexed where the modem can
	{name: "one port without a multiplexer", onePort: true, cmux: "off"},
}

// TestEveryModemLinksUp brings each modem of the emulator online by each wiring, sees its screen, ends, and does it again: what the
// first agent left behind is not in the way of the second. A new personality is in it by itself.
func TestEveryModemLinksUp(t *testing.T) {
	for _, personality := range dce.Personalities() {
		t.Run(personality, func(t *testing.T) {
			t.Parallel()
			for _, w := range wirings {
				t.Run(w.name, func(t *testing.T) {
					e := startEmulator(t, emulator.Config{Personality: personality})
					m := e.Modem(0)
					cfg := agent.Config{
						Haste:    haste,
						Modem:    agent.ModemConfig{Port: m.ATPath(), CMUX: w.cmux},
						Services: []agent.ServiceConfig{{Port: 5900, Target: "builtin:vnc"}},
						Targets:  agent.TargetsConfig{VNCPassword: vncPassword},
					}
					if ppp := m.PPPPath(); !w.onePort && ppp != m.ATPath() {
						cfg.Modem.PPPPort = ppp
					}
					for _, time := range []string{"first", "second"} {
						linkUp(t, time, e, cfg)
					}
				})
			}
		})
	}
}

// linkUp is one life of an agent.
func linkUp(t *testing.T, which string, e *emulator.Emulator, cfg agent.Config) {
	t.Helper()
	s := newStory()
	cfg.Logger = slog.New(s)
	a, err := agent.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	begin := time.Now()
	go func() { done <- a.Run(ctx) }() // waited for below
	wait := within(t)
	_, err = s.await(wait, 0, 1, isOnline)
	took := time.Since(begin).Round(time.Millisecond)
	if err == nil {
		err = awaitView(wait, e, 0)
	}
	cancel()
	if rerr := <-done; rerr != nil {
		t.Errorf("%s agent: %v", which, rerr)
	}
	if err != nil || testing.Verbose() {
		for _, ev := range s.since(0) {
			t.Log(ev.Text, ev.Attrs)
		}
	}
	if err != nil {
		t.Fatalf("%s agent: %v", which, err)
	}
	t.Logf("%s agent: online after %v", which, took)
}
