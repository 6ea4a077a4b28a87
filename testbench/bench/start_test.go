package bench

import (
	"context"
	"slices"
	"testing"
	"time"

	"minato/agent"
	"minato/emulator"
)

// BenchmarkPortToAddress is the agent's start beside a modem without delays: from opening the port to an IP address with services on it.
func BenchmarkPortToAddress(b *testing.B) {
	ctx, cancel := context.WithCancel(context.Background())
	e, err := emulator.New(emulator.Config{Dir: b.TempDir()})
	if err != nil {
		b.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- e.Run(ctx) }()
	defer func() {
		cancel()
		if err := <-done; err != nil {
			b.Error(err)
		}
	}()
	await(b, e.Ready())
	var took []time.Duration
	for b.Loop() {
		took = append(took, startAgent(b, e.Modem(0)))
	}
	slices.Sort(took)
	b.ReportMetric(took[len(took)/2].Seconds()*1e3, "p50-ms")
	b.ReportMetric(took[len(took)*99/100].Seconds()*1e3, "p99-ms")
}

// startAgent tells how long an agent took to be online, and ends it.
func startAgent(b *testing.B, m *emulator.Modem) time.Duration {
	b.Helper()
	a, err := agent.New(agent.Config{
		Modem:    agent.ModemConfig{Port: m.ATPath(), PPPPort: m.PPPPath()},
		Services: []agent.ServiceConfig{{Name: "web", Port: 80, Target: "builtin:http"}},
	})
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	started := time.Now()
	go func() { done <- a.Run(ctx) }()
	await(b, a.Ready())
	took := time.Since(started)
	b.StopTimer()
	cancel()
	if err := <-done; err != nil {
		b.Fatal(err)
	}
	b.StartTimer()
	return took
}
