package dce

// SetCoverage takes the cell away, or gives it back. Without one the modem searches and no packet passes; the network keeps the
// session, as it does until its timers end (TS 23.401 section 4.3.5.2), and a modem that comes back is registered as before.
func (m *Modem) SetCoverage(covered bool) {
	m.radio.Lock()
	defer m.radio.Unlock()
	m.air.uncovered.Store(!covered)
	m.mu.Lock()
	reg := m.reg
	if !covered {
		m.reg.lost, m.reg.kept = true, reg.kept || reg.stat.registered()
		m.turnLocked()
	}
	m.mu.Unlock()
	switch {
	case !covered && reg.stat.registered():
		m.setRegistration(Searching)
	case covered && reg.kept:
		m.setRegistration(m.registeredStat(m.subscriber())) // before the search may begin: that would be a new attach
	}
	if covered {
		m.mu.Lock()
		m.reg.lost = false
		m.mu.Unlock()
	}
	m.poke()
}
