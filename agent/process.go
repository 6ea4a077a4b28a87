package agent

import (
	"bytes"
	"os"
	"runtime"
	"strconv"
	"syscall"
	"time"
)

// A footprint is what this process takes: over years of links it has to stay as it was.
type footprint struct {
	resident   int64 // octets; 0: not known
	cpu        time.Duration
	goroutines int
}

func readFootprint() footprint {
	f := footprint{goroutines: runtime.NumGoroutine()}
	if b, err := os.ReadFile("/proc/self/statm"); err == nil { // proc(5): size, resident, ... in pages
		if fields := bytes.Fields(b); len(fields) > 1 {
			pages, _ := strconv.ParseInt(string(fields[1]), 10, 64)
			f.resident = pages * int64(os.Getpagesize())
		}
	}
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) == nil {
		f.cpu = time.Duration(u.Utime.Nano() + u.Stime.Nano())
	}
	return f
}

// footprint writes the process' own metrics, by the names that Prometheus' libraries give them.
func (m metricWriter) footprint(f footprint) {
	m.one("go_goroutines", "gauge", "Goroutines that exist now.", float64(f.goroutines))
	m.one("process_cpu_seconds_total", "counter", "User and system CPU time.", f.cpu.Seconds())
	if f.resident > 0 {
		m.one("process_resident_memory_bytes", "gauge", "Resident memory.", float64(f.resident))
	}
}
