package ppp

import "sync/atomic"

// Stats are counters since New.
type Stats struct {
	FramesIn, FramesOut   uint64
	BytesIn, BytesOut     uint64 // on the line, framing included
	PacketsIn, PacketsOut uint64 // IP packets
	Dropped               uint64 // packets that came while the link could not take them
	BadFCS, Malformed     uint64 // frames thrown away
	Rejected              uint64 // frames answered with Protocol-Reject or Code-Reject
}

// counters are Stats while they grow.
type counters struct {
	framesIn, framesOut   atomic.Uint64
	bytesIn, bytesOut     atomic.Uint64
	packetsIn, packetsOut atomic.Uint64
	dropped               atomic.Uint64
	badFCS, malformed     atomic.Uint64
	rejected              atomic.Uint64
}

func (c *counters) snapshot() Stats {
	return Stats{
		FramesIn: c.framesIn.Load(), FramesOut: c.framesOut.Load(),
		BytesIn: c.bytesIn.Load(), BytesOut: c.bytesOut.Load(),
		PacketsIn: c.packetsIn.Load(), PacketsOut: c.packetsOut.Load(),
		Dropped: c.dropped.Load(),
		BadFCS:  c.badFCS.Load(), Malformed: c.malformed.Load(),
		Rejected: c.rejected.Load(),
	}
}
