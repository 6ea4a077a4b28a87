package dce

import (
	"minato/agent/ppp"
	"minato/emulator/core"
)

// attachCID is the context that an EPS attach activates. Those of Quectel, SIMCom, u-blox and Huawei all attach with their first.
const attachCID = 1

// active tells that the context has an address: it is in use, or it is the default bearer.
func (c *pdpContext) active() bool { return c.session != nil || c.bearer.Addr.IsValid() }

// lease is what the network gave; zero while the context is not active.
func (c *pdpContext) lease() ppp.Lease {
	if c.session != nil {
		return c.session.Lease()
	}
	return c.bearer
}

// openBearer asks for the PDN connection that comes with an attach. A context that is not defined has none: what else the attach then
// opens, no command shows. radio is held.
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
	c = m.contexts[attachCID] // as it is defined now
	if c != nil {
		c.bearer = lease
	}
	m.mu.Unlock()
	if c != nil {
		m.contextEvent("+CGEV-act", c)
	}
}

// releaseSession closes what a call used. The default bearer stays, and with it the context, as it does on LTE.
func (m *Modem) releaseSession(c *pdpContext) {
	m.mu.Lock()
	s, kept := c.session, c.bearer.Addr.IsValid()
	if kept {
		c.session = nil
	}
	m.mu.Unlock()
	switch {
	case !kept:
		m.deactivate(c, "the call ended", "+CGEV-deact")
	case s != nil:
		s.Close("the call ended")
		m.tellIndicators()
	}
}
