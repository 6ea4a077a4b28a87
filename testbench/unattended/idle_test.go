package unattended

import (
	"testing"
	"time"

	"minato/emulator"
)

// What an idle agent with four services may take.
const (
	maxResident = 25e6            // octets
	maxCPU      = 0.01            // of a core
	idleFor     = 8 * time.Second // a probe and some echoes
)

// TestIdle measures the program while nobody uses its services. The memory is held; the share of a core is told, and held in a soak.
func TestIdle(t *testing.T) {
	t.Parallel()
	e := startEmulator(t, emulator.Config{})
	p := newPlace(t, e.Modem(0).ATPath(), e.Modem(0).PPPPath(), e.ControlAddr(), 0)
	p.start(t)
	ctx := within(t)
	if err := p.awaitOnline(ctx); err != nil {
		t.Fatal(err)
	}
	begin, err := p.footprint(ctx)
	if err != nil {
		t.Fatal(err)
	}
	long := idleFor
	if *soak > 0 {
		long = time.Minute
	}
	<-time.After(long)
	end, err := p.footprint(ctx)
	if err != nil {
		t.Fatal(err)
	}
	share := (end.CPU - begin.CPU) / long.Seconds()
	keep(t, "idle", "idle with four services", map[string]any{"rss_bytes": end.RSS, "cpu_share": share, "goroutines": end.Goroutines})
	if end.RSS > maxResident {
		t.Errorf("%.1f MB resident, at most %.1f are allowed", end.RSS/1e6, maxResident/1e6)
	}
	if share > maxCPU && *soak > 0 {
		t.Errorf("%.2f%% of a core, at most %.0f%% is allowed", 100*share, 100*maxCPU)
	}
}
