package dce

import "slices"

// SIMLock is the state of a card's lock that is on.
type SIMLock struct {
	PIN            string // 4 to 8 digits
	PUK            string // as in SIMCard
	Unlocked       bool   // the PIN was given
	BadPIN, BadPUK int    // wrong tries; three of the PIN ask for the PUK
}

// laidLock is a lock on top of the card's own, or of another.
type laidLock struct { // what was there when it came
	under   SIMLock
	enabled bool // it was on
}

// LayLock puts a lock on top of the one that is there. lift takes it away: what was under it is as it was, whether other locks came
// on top and whichever of them goes first. The modem leaves the network when the lock that counts is closed.
func (m *Modem) LayLock(l SIMLock) (lift func(), err error) {
	if !pinLike(l.PIN) {
		return nil, errPIN
	}
	check := SIMCard{IMSI: m.subscriber(), Card: Card{PIN: l.PIN, PUK: l.PUK}}
	if err := check.validate(); err != nil {
		return nil, err
	}
	m.mu.Lock()
	laid := &laidLock{m.sim.lock(), m.sim.enabled}
	m.locks = append(m.locks, laid)
	m.sim.setLock(l, true)
	m.mu.Unlock()
	m.lockChanged("the SIM is locked")
	return func() { m.liftLock(laid) }, nil
}

func (m *Modem) liftLock(laid *laidLock) {
	m.mu.Lock()
	i := slices.Index(m.locks, laid)
	top := i == len(m.locks)-1
	if top {
		m.sim.setLock(laid.under, laid.enabled)
	} else {
		m.locks[i+1].under, m.locks[i+1].enabled = laid.under, laid.enabled
	}
	m.locks = slices.Delete(m.locks, i, i+1)
	m.mu.Unlock()
	if top {
		m.lockChanged("the SIM is locked")
	}
}

// lockChanged tells of another state of the card, and acts on it; reason is for the sessions that end.
func (m *Modem) lockChanged(reason string) {
	m.mu.Lock()
	ready := m.sim.ready()
	m.mu.Unlock()
	m.unsolicited(m.fill("+CPIN: {cpin}"))
	if !ready {
		m.detach(reason, true)
	}
	m.poke()
}

func (s *simState) lock() SIMLock {
	return SIMLock{s.card.PIN, s.card.PUK, s.unlocked, s.badPIN, s.badPUK}
}

func (s *simState) setLock(l SIMLock, enabled bool) {
	s.card.PIN, s.card.PUK, s.unlocked, s.badPIN, s.badPUK = l.PIN, l.PUK, l.Unlocked, l.BadPIN, l.BadPUK
	s.enabled = enabled
}
