package store

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

// percentile of a sorted list.
func percentile(sorted []time.Duration, p int) time.Duration { return sorted[(len(sorted)-1)*p/100] }

func report(b *testing.B, name string, took []time.Duration) {
	slices.Sort(took)
	b.ReportMetric(float64(percentile(took, 50).Microseconds())/1000, name+"-p50-ms")
	b.ReportMetric(float64(percentile(took, 99).Microseconds())/1000, name+"-p99-ms")
}

// resident is this process's memory in MB.
func resident(b *testing.B) float64 {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		b.Fatal(err)
	}
	var kb float64
	_, after, _ := strings.Cut(string(status), "VmRSS:")
	fmt.Sscan(after, &kb)
	return kb / 1024
}

// BenchmarkCreate measures creates and deletes, each synced to the disk before it returns.
func BenchmarkCreate(b *testing.B) {
	ctx := context.Background()
	s := openStore(b, Config{})
	var created, deleted []time.Duration
	for i := range b.N {
		addr := netip.AddrPortFrom(testAddr.Addr(), uint16(10000+i%20000))
		m := testMapping(addr, time.Hour)
		start := time.Now()
		if _, err := s.CreateMapping(ctx, m); err != nil {
			b.Fatal(err)
		}
		created = append(created, time.Since(start))
		start = time.Now()
		if _, err := s.DeleteMapping(ctx, addr); err != nil {
			b.Fatal(err)
		}
		deleted = append(deleted, time.Since(start))
	}
	report(b, "create", created)
	report(b, "delete", deleted)
}

// BenchmarkOpen measures the opening of a store with 1000 mappings, and what an open store keeps in memory.
func BenchmarkOpen(b *testing.B) {
	ctx := context.Background()
	dir := b.TempDir()
	s, err := Open(ctx, Config{Dir: dir})
	if err != nil {
		b.Fatal(err)
	}
	for i := range 1000 {
		if _, err := s.CreateMapping(ctx, testMapping(netip.AddrPortFrom(testAddr.Addr(), uint16(10000+i)), time.Hour)); err != nil {
			b.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		b.Fatal(err)
	}
	var opened []time.Duration
	for b.Loop() {
		start := time.Now()
		s, err := Open(ctx, Config{Dir: dir})
		if err != nil {
			b.Fatal(err)
		}
		opened = append(opened, time.Since(start))
		b.StopTimer()
		b.ReportMetric(resident(b), "RSS-MB")
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
	report(b, "open", opened)
}

// BenchmarkAudit fills a log of 100,000 entries for as many SIMs as it says and asks for the 100 newest of one, just after a start (cold:
// nothing of the log is in memory) and again (warm).
func BenchmarkAudit(b *testing.B) {
	const entries = 100_000
	for _, sims := range []int{1, 100, 1000} {
		b.Run(fmt.Sprintf("sims=%d", sims), func(b *testing.B) { benchmarkAudit(b, entries, sims) })
	}
}

// BenchmarkAuditMillion is the same with a million, and also with the worst spread: each SIM's 100 entries all over the log.
func BenchmarkAuditMillion(b *testing.B) {
	for _, sims := range []int{1, 1000, 10_000} {
		b.Run(fmt.Sprintf("sims=%d", sims), func(b *testing.B) { benchmarkAudit(b, 1_000_000, sims) })
	}
}

func benchmarkAudit(b *testing.B, entries, sims int) {
	ctx := context.Background()
	dir := b.TempDir()
	s, err := Open(ctx, Config{Dir: dir})
	if err != nil {
		b.Fatal(err)
	}
	sim := func(i int) string { return fmt.Sprintf("89811000000%08d", i%sims) }
	start := time.Now()
	for i := range entries {
		if err := s.AppendAudit(ctx, Entry{
			Type: Closed, Time: time.Now(), ConnectionID: fmt.Sprintf("5b2cf5b8-9a3d-4e53-a9c5-%012d", i), OperatorID: "OP0012345678", SIMID: sim(i), IMSI: "440101234567890", TLS: true,
			Source: netip.MustParseAddrPort("203.0.113.9:50000"), Destination: testAddr,
			TLSVersion: "TLS 1.3", SNI: "127-0-0-1.relay.example", BytesUp: 12345, BytesDown: 678901, Duration: 5 * time.Second, End: Words{Code: "client-closed"},
		}); err != nil {
			b.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		b.Fatal(err)
	}
	appended := time.Since(start)
	start = time.Now()
	if s, err = Open(ctx, Config{Dir: dir}); err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	opened := time.Since(start)
	ask := func(i int) time.Duration {
		start := time.Now()
		list, _, err := s.Audit(ctx, Query{SIMID: sim(i), Limit: 100})
		if want := min(100, entries/sims); err != nil || len(list) != want {
			b.Fatalf("%d entries, %v; want %d", len(list), err, want)
		}
		return time.Since(start)
	}
	cold := ask(0)
	var warm []time.Duration
	for b.Loop() {
		warm = append(warm, ask(len(warm)*7))
	}
	b.ReportMetric(float64(entries)/appended.Seconds(), "appends/s")
	b.ReportMetric(float64(opened.Milliseconds()), "open-ms")
	b.ReportMetric(float64(cold.Microseconds())/1000, "cold-ms")
	report(b, "warm", warm)
	b.ReportMetric(resident(b), "RSS-MB")
}
