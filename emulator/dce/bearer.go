package dce

import (
	"minato/agent/ppp"
	"minato/emulator/core"
)

// attachCID is the context that an EPS attach activates, in each of the modems that are built in.
const attachCID = 1

// leaseLocked is what the network gave to a context; zero while it is not active. A SIM has one PDN connection, the default bearer: it is
// the attach's context that shows it, or the one that is used, if that is another.
func (m *Modem) leaseLocked(c *pdpContext) ppp.Lease {
	switch {
	case c.session != nil:
		return c.session.Lease()
	case c.cid == attachCID && !m.sessionLocked():
		return m.bearer
	}
	return ppp.Lease{}
}

// activeLocked tells that a context is active.
func (m *Modem) activeLocked(c *pdpContext) bool { return m.leaseLocked(c).Addr.IsValid() }

// openBearer asks for the PDN connection that comes with an attach. Where the context is not defined no command would show it. radio is held.
func (m *Modem) openBearer(imsi string) {
	m.mu.Lock()
	c := m.contexts[attachCID]
	if c == nil {
		m.mu.Unlock()
		return
	}
	r := core.ActivateRequest{IMSI: imsi, APN: c.apn, Type: c.pdpType}
	m.mu.Unlock()
	lease, err := m.network.DefaultBearer(r)
	if err != nil {
		m.log.Info("the network refuses the default bearer", "cid", attachCID, "apn", r.APN, "error", err)
		m.setCause(err)
		return
	}
	m.mu.Lock()
	m.bearer = lease
	m.mu.Unlock()
	m.contextEvent("+CGEV-act", c)
}
