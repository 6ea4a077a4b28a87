package dce

import (
	"context"
	"errors"
	"strconv"
	"strings"

	"minato/agent/ppp"
	"minato/emulator/core"
)

func readActive(x *exchange) result {
	x.m.mu.Lock()
	defer x.m.mu.Unlock()
	list, _ := x.m.contextsLocked(nil)
	for _, c := range list {
		x.info(x.m.formatLocked("+CGACT", c, nil))
	}
	return resultOK
}

// setActive is +CGACT=<state>[,<cid>,...]; without cid it means all.
func setActive(x *exchange, a args) result {
	on, ok := a.number(0, 1, 0, 1)
	if !ok {
		return cmeError(cmeIncorrectParams)
	}
	x.m.mu.Lock()
	list, ok := x.m.contextsLocked(a[min(1, len(a)):])
	registered := x.m.reg.stat.registered()
	var change []*pdpContext
	for _, c := range list {
		if on == 1 && c.session == nil || on == 0 && c.active() {
			change = append(change, c)
		}
	}
	x.m.mu.Unlock()
	if !ok {
		return cmeError(cmeIncorrectParams)
	}
	if len(change) > 0 {
		x.wait(x.m.personality.Delays.Activate)
	}
	for _, c := range change {
		if on == 0 {
			x.m.deactivate(c, "deactivated by +CGACT", "+CGEV-deact")
			continue
		}
		if !registered {
			return cmeError(cmeNoNetwork)
		}
		if _, err := x.m.activate(x.ctx, c.cid, ppp.Credentials{}, nil); err != nil {
			return activationError(err)
		}
	}
	return resultOK
}

// activationError maps the network's cause to +CME ERROR (TS 27.007 section 9.2.2).
func activationError(err error) result {
	var no *core.Reject
	switch {
	case errors.Is(err, context.Canceled):
		return cmeError(cmeUnknown)
	case !errors.As(err, &no):
		return cmeError(cmeUnknown)
	}
	switch no.Cause {
	case 8:
		return cmeError(cmeServiceForbidden)
	case 29:
		return cmeError(cmePDPAuth)
	case 27, 33:
		return cmeError(cmeNotSubscribed)
	case core.CauseUnknownPDNType, core.CauseIPv4Only, core.CauseMultiplePDN: // 128, 192 and 203 are of later releases than the other numbers here
		return cmeError(cmeUnspecifiedGPRS)
	}
	return cmeError(cmeServiceOption)
}

func (c *pdpContext) address() string {
	if !c.active() {
		return "0.0.0.0"
	}
	return c.lease().Addr.String()
}

// nameServer is the network's i-th.
func (c *pdpContext) nameServer(i int) string {
	dns := c.lease().DNS
	if i >= len(dns) {
		return "0.0.0.0"
	}
	return dns[i].String()
}

func showAddresses(x *exchange, a args) result {
	x.m.mu.Lock()
	defer x.m.mu.Unlock()
	list, ok := x.m.contextsLocked(a)
	if !ok {
		return cmeError(cmeIncorrectParams)
	}
	for _, c := range list {
		x.info(x.m.formatLocked("+CGPADDR", c, nil))
	}
	return resultOK
}

func testAddresses(x *exchange) result {
	x.m.mu.Lock()
	defer x.m.mu.Unlock()
	x.info("+CGPADDR: (" + x.m.cidsLocked(false) + ")")
	return resultOK
}

func testParameters(x *exchange) result {
	x.m.mu.Lock()
	defer x.m.mu.Unlock()
	x.info("+CGCONTRDP: (" + x.m.cidsLocked(true) + ")")
	return resultOK
}

func (m *Modem) cidsLocked(active bool) string {
	var list []string
	all, _ := m.contextsLocked(nil)
	for _, c := range all {
		if !active || c.active() {
			list = append(list, strconv.Itoa(c.cid))
		}
	}
	return strings.Join(list, ",")
}

// showParameters tells what the network granted: cid, bearer, APN, address and mask in one, gateway, name servers.
func showParameters(x *exchange, a args) result {
	x.m.mu.Lock()
	defer x.m.mu.Unlock()
	list, ok := x.m.contextsLocked(a)
	if !ok {
		return cmeError(cmeIncorrectParams)
	}
	for _, c := range list {
		if !c.active() {
			continue
		}
		x.info(x.m.formatLocked("+CGCONTRDP", c, map[string]any{"bearer": 4 + c.cid}))
	}
	return resultOK
}
