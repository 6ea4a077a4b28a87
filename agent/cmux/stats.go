package cmux

// Stats count what passed since New.
type Stats struct {
	Counters // of the line, received

	FramesSent     uint64
	OctetsReceived uint64 // of the line
	OctetsSent     uint64 // of the line
	LongFrames     uint64 // received with more than N1 octets: the peer has another N1 in mind
	Strays         uint64 // received on a channel that is not open, and answered with DM
	Overruns       uint64 // octets dropped since the peer sent on after it was told to wait
	BadMessages    uint64 // control channel messages that are none
	NotSupported   uint64 // control channel commands answered with NSC
	Repeated       uint64 // our commands sent again for want of an answer
	Unanswered     uint64 // our commands given up
	Dropped        uint64 // answers not sent since the peer takes none
}

// Stats may be called at any time.
func (m *Mux) Stats() Stats {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.stats
	s.Counters = m.decoder.Counters
	return s
}
