package ppp

import "sync/atomic"

// Stats are counters since New.
type Stats struct {
	FramesIn   uint64 `json:"frames_in"`
	FramesOut  uint64 `json:"frames_out"`
	BytesIn    uint64 `json:"bytes_in"` // on the line, framing included
	BytesOut   uint64 `json:"bytes_out"`
	PacketsIn  uint64 `json:"packets_in"` // IP packets
	PacketsOut uint64 `json:"packets_out"`
	Dropped    uint64 `json:"dropped"` // packets that came while the link could not take them
	BadFCS     uint64 `json:"bad_fcs"` // frames thrown away, as the next
	Malformed  uint64 `json:"malformed"`
	Rejected   uint64 `json:"rejected"` // frames answered with Protocol-Reject or Code-Reject
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
