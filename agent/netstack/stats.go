package netstack

import "sync/atomic"

// Stats are counters since New.
type Stats struct{ PacketsIn, PacketsOut, BytesIn, BytesOut, Dropped uint64 }

type counters struct {
	packetsIn, packetsOut, bytesIn, bytesOut, dropped atomic.Uint64
}

// Stats may be called at any time. Dropped counts packets that were no IP, that found the queue full, or that Output refused.
func (s *Stack) Stats() Stats {
	c := &s.stats
	return Stats{
		PacketsIn: c.packetsIn.Load(), PacketsOut: c.packetsOut.Load(),
		BytesIn: c.bytesIn.Load(), BytesOut: c.bytesOut.Load(),
		Dropped: c.dropped.Load(),
	}
}
