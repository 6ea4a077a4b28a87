package dce

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	"minato/agent/ppp"
	"minato/emulator/core"
)

var pdpTypes = []string{"IP", "PPP", "IPV6", "IPV4V6"}

// pdpContext is one line of +CGDCONT. All fields are guarded by Modem.mu.
type pdpContext struct {
	cid      int
	pdpType  string
	apn      string
	options  string // the parameters behind the address
	auth     ppp.AuthProtocol
	user     string
	password string

	session Session // nil: nobody uses the context
	opening bool    // the network is asked for a session
	call    *call   // the call that carries it; nil: activated by +CGACT
}

var errNoContext = errors.New("the PDP context is not defined")

// errSecondPDN is what the network has against one more context: a SIM has one APN, and that has one connection (TS 24.301 section
// 6.5.1.4.1). It is the modem that knows whether the connection it has is in use: the network takes a new one for that of a modem
// which came back.
var errSecondPDN = &core.Reject{Cause: core.CauseMultiplePDN, Reason: "multiple PDN connections for a given APN not allowed"}

// secondPDNLocked tells that a context, activated for owner, would be a second connection to an APN. An empty APN is the SIM's own.
func (m *Modem) secondPDNLocked(c *pdpContext, owner *call) bool {
	for _, other := range m.contexts {
		same := other.apn == "" || c.apn == "" || strings.EqualFold(other.apn, c.apn)
		if other.session != nil && same && (other != c || c.call != nil && c.call != owner) {
			return true
		}
	}
	return false
}

// activate opens the context's session for a call, or for +CGACT when owner is nil. A session that +CGACT opened is taken over.
// One is opened at a time: the next sees that it is there.
func (m *Modem) activate(ctx context.Context, cid int, cred ppp.Credentials, owner *call) (Session, error) {
	m.radio.Lock()
	defer m.radio.Unlock()
	m.mu.Lock()
	c := m.contexts[cid]
	registered := m.reg.stat.registered()
	if c == nil || !registered {
		m.mu.Unlock()
		err := errNoContext
		if c != nil {
			err = errors.New("not registered")
		}
		m.setCause(err)
		return nil, err
	}
	if c.session != nil && (c.call == nil || owner == nil) {
		c.call = cmp.Or(owner, c.call)
		s := c.session
		m.mu.Unlock()
		return s, nil
	}
	if m.secondPDNLocked(c, owner) {
		m.mu.Unlock()
		m.log.Info("the network refuses the PDP context", "cid", cid, "apn", c.apn, "error", errSecondPDN)
		m.setCause(errSecondPDN)
		return nil, errSecondPDN
	}
	r := core.ActivateRequest{IMSI: m.sim.card.IMSI, APN: c.apn, Credentials: cred, Type: c.pdpType}
	if cred.Name == "" && c.user != "" {
		r.Credentials = ppp.Credentials{Protocol: ppp.AuthPAP, Name: c.user, Password: c.password}
	}
	c.opening = true
	m.mu.Unlock()

	s, err := m.network.Activate(ctx, r)
	if err == nil && ctx.Err() != nil {
		s.Close("the call ended")
		err = ctx.Err()
	}
	m.mu.Lock()
	was := m.activeLocked(c)
	c.opening = false
	if err == nil {
		c.session, c.call = s, owner
	}
	m.mu.Unlock()
	switch {
	case err != nil && ctx.Err() != nil:
		return nil, err
	case err != nil:
		m.log.Info("the network refuses the PDP context", "cid", cid, "apn", r.APN, "error", err)
		m.setCause(err)
		return nil, err
	}
	if !m.spawn(func() { m.watchSession(c, s) }) {
		s.Close("the modem was switched off")
	}
	m.tellEvent(Event{Type: "session", State: "opened", CID: cid, Addr: s.Lease().Addr.String()})
	if !was {
		m.contextEvent("+CGEV-act", c)
	}
	m.tellIndicators()
	return s, nil
}

// watchSession ends what hangs on a session when the session ends. It ends with the session.
func (m *Modem) watchSession(c *pdpContext, s Session) {
	<-s.Done()
	m.tellEvent(Event{Type: "session", State: "closed", CID: c.cid, Addr: s.Lease().Addr.String(), Reason: s.Reason()})
	m.mu.Lock()
	ours := c.session != s // deactivate took it out first
	owner := c.call
	if !ours {
		c.session, c.call, m.bearer = nil, nil, ppp.Lease{}
	}
	m.mu.Unlock()
	if ours {
		return
	}
	m.log.Info("the network ended the session", "cid", c.cid, "reason", s.Reason())
	m.contextEvent("+CGEV-nw-deact", c)
	m.tellIndicators()
	if owner != nil {
		owner.hangUp(hangUpPolite)
	}
}

// deactivate closes the context's session; it is false when there is none. event is the format of what +CGEV tells; "": nothing. The
// default bearer stays, and nothing is told of its context.
func (m *Modem) deactivate(c *pdpContext, reason, event string) bool {
	m.mu.Lock()
	s, owner := c.session, c.call
	c.session, c.call = nil, nil
	still := m.activeLocked(c)
	m.mu.Unlock()
	if s == nil {
		return false
	}
	s.Close(reason)
	if event != "" && !still {
		m.contextEvent(event, c)
	}
	m.tellIndicators()
	if owner != nil {
		owner.hangUp(hangUpPolite)
	}
	return true
}

// releaseContext closes a session with the call that carried it.
func (m *Modem) releaseContext(cid int, owner *call) {
	m.mu.Lock()
	c := m.contexts[cid]
	mine := c != nil && c.call == owner
	if mine {
		c.call = nil // the call is over already
	}
	m.mu.Unlock()
	if mine {
		m.deactivate(c, "the call ended", "+CGEV-deact")
	}
}

// endSessions closes all with a detach, of which alone is told: the contexts "are not reported separately" (TS 27.007 section 10.1.19).
func (m *Modem) endSessions(reason string) {
	m.mu.Lock()
	m.bearer = ppp.Lease{}
	var used []*pdpContext
	for _, c := range m.contexts {
		if c.session != nil {
			used = append(used, c)
		}
	}
	m.mu.Unlock()
	for _, c := range used {
		m.deactivate(c, reason, "")
	}
}

// DeactivatePDN is the network's deactivation of a context that is used; it is an error when it is not. It was the SIM's only connection:
// until the next attach there is no default bearer.
func (m *Modem) DeactivatePDN(cid int) error {
	m.mu.Lock()
	c := m.contexts[cid]
	used := c != nil && c.session != nil
	if used {
		m.bearer = ppp.Lease{}
	}
	m.mu.Unlock()
	if !used || !m.deactivate(c, "deactivated by the network", "+CGEV-nw-deact") {
		return fmt.Errorf("deactivating PDP context %d: nothing uses it", cid)
	}
	return nil
}

// DropCarrier loses the carrier of every call: PPP stops dead, NO CARRIER is printed. It is false when there was no call.
func (m *Modem) DropCarrier() bool {
	m.mu.Lock()
	ports := m.portsLocked()
	m.mu.Unlock()
	any := false
	for _, p := range ports {
		p.mu.Lock()
		c := p.call
		p.mu.Unlock()
		if c != nil {
			any = true
			c.hangUp(hangUpHard)
			<-c.done
		}
	}
	return any
}

// SetSilent loses all packets both ways with nothing said; with lcp the PPP server, too, neither hears nor speaks.
func (m *Modem) SetSilent(packets, lcp bool) {
	m.air.silent.Store(packets)
	m.air.mute.Store(lcp)
}
