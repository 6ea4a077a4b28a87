package core

import (
	"net"
	"net/netip"

	"minato/agent/ppp"
)

// Attach is a modem's EPS attach: a Reject when the IMSI is not known. An attach of a SIM that is attached already starts afresh,
// as TS 24.301 section 5.5.1.2.7 has it: its session is closed. apn is the SIM's own, which the answer to an attach names (section 8.3.6).
func (c *Core) Attach(imsi, imei string) (apn string, err error) {
	for {
		c.mu.Lock()
		if c.ended {
			c.mu.Unlock()
			return "", net.ErrClosed
		}
		sub := c.byIMSI[imsi]
		if sub == nil {
			c.mu.Unlock()
			c.log.Info("attach rejected", "imsi", imsi, "imei", imei, "cause", int(CauseServicesNotAllowed))
			return "", reject(CauseServicesNotAllowed, "IMSI %s is not known", imsi)
		}
		old := sub.session
		if old == nil {
			sub.attached, sub.imei = true, imei
			c.mu.Unlock()
			c.log.Info("attached", "sim", sub.SIMID, "imsi", imsi, "imei", imei)
			return sub.APN, nil
		}
		c.mu.Unlock()
		old.Close("the SIM attached again")
	}
}

// DefaultBearer is the PDN connection that comes with an EPS attach (TS 23.401 section 5.3.2.1), until the detach. The SIM has proved
// itself: a user's name and password are asked for when a session is opened. There is none until then, and the device is offline: a
// bearer is an address that is kept for the SIM. The error is a *Reject where the network says no. The SIM stays attached all the same,
// where many networks refuse the attach with it (EMM cause 19, ESM failure): what is wrong is told to who asks for a session.
func (c *Core) DefaultBearer(r ActivateRequest) (ppp.Lease, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	sub, err := c.servesLocked(r)
	if err != nil {
		c.log.Info("default bearer rejected", "imsi", r.IMSI, "apn", r.APN, "error", err)
		return ppp.Lease{}, err
	}
	if !sub.bearer.IsValid() {
		if sub.bearer, err = c.addressLocked(sub); err != nil {
			return ppp.Lease{}, err
		}
	}
	return ppp.Lease{Addr: sub.bearer, DNS: c.cfg.DNS}, nil
}

// Detach closes the subscriber's session, and frees its address.
func (c *Core) Detach(imsi string) {
	c.mu.Lock()
	sub := c.byIMSI[imsi]
	if sub == nil || !sub.attached {
		c.mu.Unlock()
		return
	}
	sub.attached = false
	addr, old := sub.bearer, sub.session
	sub.bearer = netip.Addr{}
	if old == nil {
		c.pool.release(addr)
	}
	c.mu.Unlock()
	if old != nil {
		old.Close("the modem detached")
	}
	c.log.Info("detached", "sim", sub.SIMID, "imsi", imsi)
}
