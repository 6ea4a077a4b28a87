package dce

import (
	"math/rand/v2"

	"minato/agent/ppp"
)

// FailPPP makes the modem's PPP server fail, in calls under way and to come. Several may be at work at once.
func (m *Modem) FailPPP(change func(f *ppp.Faults)) (restore func()) { return m.pppFaults.push(change) }

// serverFaults is what the PPP server asks.
func (m *Modem) serverFaults() ppp.Faults {
	var f ppp.Faults
	for _, change := range m.pppFaults.all() {
		(*change)(&f)
	}
	return f
}

// LosePackets loses that many in a hundred IP packets, each way, and says nothing.
func (m *Modem) LosePackets(percent int) (restore func()) { return m.air.losses.push(percent) }

// passes draws whether a packet gets through the air.
func (a *air) passes() bool {
	if a.silent.Load() || a.uncovered.Load() {
		return false
	}
	for _, percent := range a.losses.all() {
		if rand.IntN(100) < *percent {
			return false
		}
	}
	return true
}

// thin takes the packets out that the air loses. Without a fault it gives back what it was given.
func (a *air) thin(packets [][]byte) [][]byte {
	if a.silent.Load() || a.uncovered.Load() {
		return nil
	}
	if len(a.losses.all()) == 0 {
		return packets
	}
	left := make([][]byte, 0, len(packets))
	for _, p := range packets {
		if a.passes() {
			left = append(left, p)
		}
	}
	return left
}

// TerminatePPP makes the PPP server of every call say Terminate-Request. It is false when there is none in data mode.
func (m *Modem) TerminatePPP() bool {
	m.mu.Lock()
	ports := m.portsLocked()
	m.mu.Unlock()
	any := false
	for _, p := range ports {
		p.mu.Lock()
		c := p.call
		data := c != nil && !c.escaped
		p.mu.Unlock()
		if data {
			any = true
			c.hangUp(hangUpPolite)
		}
	}
	return any
}

// SetEcho is E on every port, as after a reset that the user was not told of.
func (m *Modem) SetEcho(on bool) (restore func()) {
	m.mu.Lock()
	ports := m.portsLocked()
	m.mu.Unlock()
	was := map[*port]bool{}
	for _, p := range ports {
		p.change(func(s *settings) { was[p], s.echo = s.echo, on })
	}
	return func() {
		for p, echo := range was {
			p.change(func(s *settings) { s.echo = echo })
		}
	}
}

// Signal is what the radio receives.
func (m *Modem) Signal() Signal {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.signal
}
