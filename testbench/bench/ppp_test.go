package bench

import (
	"io"
	"math/rand/v2"
	"slices"
	"testing"
)

// BenchmarkTCPOverPPP sets TCP through PPP over the PTY beside a raw copy through the same kind of PTY (16 KiB writes, 64 KiB reads, raw mode), random
// payload, the two taking turns. It reports medians: MB/s, CPU seconds per GB of both ends together, and the ratio to the raw copy.
func BenchmarkTCPOverPPP(b *testing.B) {
	const size = 64 << 20
	payload := make([]byte, 1<<20)
	rand.NewChaCha8([32]byte{1}).Read(payload)
	for _, direction := range []string{"to-network", "to-device"} {
		b.Run(direction, func(b *testing.B) {
			master, slave := rawPTY(b)
			network, device := newLine(b).connect(b)
			var rawTo, rawFrom, tcpTo, tcpFrom io.ReadWriter = master, slave, network, device
			if direction == "to-device" {
				rawTo, rawFrom, tcpTo, tcpFrom = slave, master, device, network
			}
			transfer(b, tcpFrom, tcpTo, payload, size/8, 16<<10, 64<<10) // windows open
			var raw, tcp []cost
			b.SetBytes(size)
			for b.Loop() {
				raw = append(raw, transfer(b, rawFrom, rawTo, payload, size, 16<<10, 64<<10))
				tcp = append(tcp, transfer(b, tcpFrom, tcpTo, payload, size, 16<<10, 64<<10))
			}
			r, t := medianOf(raw, cost.rate), medianOf(tcp, cost.rate)
			b.ReportMetric(r, "raw-MB/s")
			b.ReportMetric(t, "tcp-MB/s")
			b.ReportMetric(100*t/r, "%-of-raw")
			b.ReportMetric(medianOf(raw, cost.cpuPerGB), "raw-CPU-s/GB")
			b.ReportMetric(medianOf(tcp, cost.cpuPerGB), "tcp-CPU-s/GB")
		})
	}
}

// medianOf is the median of one figure.
func medianOf(costs []cost, figure func(cost) float64) float64 {
	values := make([]float64, len(costs))
	for i, c := range costs {
		values[i] = figure(c)
	}
	slices.Sort(values)
	return values[len(values)/2]
}
