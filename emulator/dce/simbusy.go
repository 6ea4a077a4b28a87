package dce

import "slices"

// SIMBusy is a card that the modem has yet to read, as in the first moments after power-on: whoever asks is told so by +CME ERROR: 14.
type SIMBusy struct {
	Asks   int // commands for the card that are refused, then it is read; 0: until the release
	Absent int // the first of them are told that there is none, +CME ERROR: 10: the modem has not found it yet
}

// BusySIM makes the card busy: the modem leaves the network, and cannot come back before the card is read.
func (m *Modem) BusySIM(b SIMBusy) (release func()) {
	m.mu.Lock()
	m.sim.busy = append(m.sim.busy, &b)
	m.mu.Unlock()
	m.lockChanged("the SIM is busy")
	return func() {
		m.mu.Lock()
		up, looked := m.sim.releaseBusy(&b), m.looked
		m.mu.Unlock()
		if up {
			m.simRead(looked)
		}
	}
}

// refuseBusy answers a command for a card that is busy; up tells that this was the last one which is refused.
func (s *simState) refuseBusy() (r result, up bool) {
	b := s.busy[0]
	r = cmeError(cmeSIMBusy)
	if b.Absent > 0 {
		b.Absent--
		r = cmeError(cmeSIMNotInserted)
	}
	if b.Asks == 0 {
		return r, false
	}
	if b.Asks--; b.Asks > 0 {
		return r, false
	}
	return r, s.releaseBusy(b)
}

// releaseBusy tells whether that let the card come up.
func (s *simState) releaseBusy(b *SIMBusy) bool {
	i := slices.Index(s.busy, b)
	if i < 0 { // the asks have used it up
		return false
	}
	s.busy = slices.Delete(s.busy, i, i+1)
	return s.inserted && len(s.busy) == 0
}

// simRead tells that the card was read, or waits for its PIN, as at boot; looked is Modem.looked of that moment.
func (m *Modem) simRead(looked int) {
	m.mu.Lock()
	off, ready := m.functions == 0, m.sim.ready()
	m.mu.Unlock()
	switch {
	case off: // it is told when the card is switched on
	case ready:
		m.simUp(looked)
	case looked > m.personality.cardStep(): // else the boot tells
		m.spawn(func() { m.unsolicited(m.fill("+CPIN: {cpin}")) })
	}
}
