//go:build unix

package core

import (
	"fmt"
	"io"
	"net"
	"sync"
	"syscall"
	"testing"
	"time"
)

// BenchmarkSOCKS moves bytes through the door: a kernel connection, the gateway, a session's queue, and the device's stack, all in
// this process. CPU time is of all of it.
func BenchmarkSOCKS(b *testing.B) {
	for _, upstream := range []bool{true, false} {
		for _, n := range []int{1, 8} {
			name := map[bool]string{true: "to the device", false: "from the device"}[upstream]
			b.Run(fmt.Sprintf("%s, %d connections", name, n), func(b *testing.B) { benchmarkSOCKS(b, upstream, n) })
		}
	}
}

func benchmarkSOCKS(b *testing.B, upstream bool, n int) {
	const chunk = 64 << 10
	subs := openSubscribers(1)
	c := startCore(b, Config{Subscribers: subs})
	s := activate(b, c, subs[0])
	l, err := startDevice(b, s).Listen("tcp", ":7")
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	door := startSOCKS(b, c)
	var from, to []net.Conn
	for range n {
		client := connect(b, door, subs[0].SIMID+".sim", 7)
		client.SetDeadline(time.Time{})
		device, err := l.Accept()
		if err != nil {
			b.Fatal(err)
		}
		defer device.Close()
		if upstream {
			from, to = append(from, client), append(to, device)
		} else {
			from, to = append(from, device), append(to, client)
		}
	}
	b.SetBytes(chunk)
	b.ReportAllocs()
	b.ResetTimer()
	before := cpuTime(b)
	var wg sync.WaitGroup
	for i := range n {
		rounds := b.N / n
		if i == 0 {
			rounds += b.N % n
		}
		wg.Go(func() {
			buf := make([]byte, chunk)
			for range rounds {
				if _, err := from[i].Write(buf); err != nil {
					b.Error(err)
					return
				}
			}
			from[i].(interface{ CloseWrite() error }).CloseWrite()
		})
		wg.Go(func() {
			if _, err := io.Copy(io.Discard, to[i]); err != nil {
				b.Error(err)
			}
		})
	}
	wg.Wait()
	used := cpuTime(b) - before
	b.StopTimer()
	b.ReportMetric(used.Seconds()*1e9/float64(b.N*chunk), "cpu-s/GB")
	b.ReportMetric(float64(s.Info().Dropped), "dropped")
}

func cpuTime(b *testing.B) time.Duration {
	var ru syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &ru); err != nil {
		b.Fatal(err)
	}
	return time.Duration(ru.Utime.Nano() + ru.Stime.Nano())
}
