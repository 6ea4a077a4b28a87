//go:build unix

package netstack

import (
	"io"
	"runtime"
	"sync"
	"syscall"
	"testing"
	"time"
)

// BenchmarkSwitch moves bytes from host to host. CPU time is of the whole process: both ends and the switch.
func BenchmarkSwitch(b *testing.B) {
	for _, bench := range []struct {
		name  string
		conns int
	}{{"1 connection", 1}, {"8 connections", 8}} {
		b.Run(bench.name, func(b *testing.B) {
			a, s := twoHosts(b)
			const chunk = 64 << 10
			b.SetBytes(chunk)
			b.ReportAllocs()
			var wg sync.WaitGroup
			var senders, receivers []*Conn
			for range bench.conns {
				c, r := connPair(b, a, s, "10.0.0.2:0")
				c.SetDeadline(time.Time{})
				r.SetDeadline(time.Time{})
				senders, receivers = append(senders, c), append(receivers, r)
			}
			runtime.GC()
			b.ResetTimer()
			before := cpuTime(b)
			for i, c := range senders {
				n := b.N / bench.conns
				if i == 0 {
					n += b.N % bench.conns
				}
				wg.Go(func() {
					buf := make([]byte, chunk)
					for range n {
						if _, err := c.Write(buf); err != nil {
							b.Error(err)
							return
						}
					}
					c.CloseWrite()
				})
				wg.Go(func() {
					if _, err := receivers[i].WriteTo(io.Discard); err != nil {
						b.Error(err)
					}
				})
			}
			wg.Wait()
			used := cpuTime(b) - before
			b.StopTimer()
			b.ReportMetric(used.Seconds()*1e9/float64(b.N*chunk), "cpu-s/GB")
		})
	}
}

func cpuTime(b *testing.B) time.Duration {
	var ru syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &ru); err != nil {
		b.Fatal(err)
	}
	return time.Duration(ru.Utime.Nano() + ru.Stime.Nano())
}
