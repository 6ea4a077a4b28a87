package core

import "net"

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

// Detach closes the subscriber's session.
func (c *Core) Detach(imsi string) {
	c.mu.Lock()
	sub := c.byIMSI[imsi]
	if sub == nil || !sub.attached {
		c.mu.Unlock()
		return
	}
	sub.attached = false
	old := sub.session
	c.mu.Unlock()
	if old != nil {
		old.Close("the modem detached")
	}
	c.log.Info("detached", "sim", sub.SIMID, "imsi", imsi)
}
