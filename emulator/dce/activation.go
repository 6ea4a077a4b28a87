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

// setActive is +CGACT=<state>[,<cid>,...]; without cid it means all. A context that is active already stays so, whatever the network has
// against its use. State 0 ends the use; the last connection of an attach cannot be given up (TS 27.007 section 10.1.10).
func setActive(x *exchange, a args) result {
	on, ok := a.number(0, 1, 0, 1)
	if !ok {
		return cmeError(cmeIncorrectParams)
	}
	x.m.mu.Lock()
	list, ok := x.m.contextsLocked(a[min(1, len(a)):])
	x.m.mu.Unlock()
	if !ok {
		return cmeError(cmeIncorrectParams)
	}
	if on == 0 {
		return x.deactivate(list)
	}
	for _, c := range list {
		if r := x.use(c); !r.ok() && !x.m.isActive(c) {
			return r
		}
	}
	return resultOK
}

func (x *exchange) deactivate(list []*pdpContext) result {
	x.m.mu.Lock()
	var used []*pdpContext
	last := false
	for _, c := range list {
		if c.session != nil {
			used = append(used, c)
		}
		last = last || x.m.activeLocked(c)
	}
	x.m.mu.Unlock()
	if len(used) == 0 && last {
		return cmeError(cmeLastPDN)
	}
	if len(used) > 0 {
		x.wait(x.m.personality.Delays.Activate)
	}
	for _, c := range used {
		x.m.deactivate(c, "deactivated by +CGACT", "+CGEV-deact")
	}
	return resultOK
}

func (m *Modem) isActive(c *pdpContext) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.activeLocked(c)
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

// No address, as TS 27.007 writes one of IPv4 and one of IPv6.
const (
	noIPv4 = "0.0.0.0"
	noIPv6 = "0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0"
)

func address(l ppp.Lease) string {
	if !l.Addr.IsValid() {
		return noIPv4
	}
	return l.Addr.String()
}

// addressesLocked are one of each kind that the context asks for; what is active has IPv4 alone.
func (m *Modem) addressesLocked(c *pdpContext) string {
	switch active := m.activeLocked(c); {
	case !active && c.pdpType == "IPV4V6":
		return noIPv4 + "," + noIPv6
	case !active && c.pdpType == "IPV6":
		return noIPv6
	}
	return address(m.leaseLocked(c))
}

// nameServer is the network's i-th.
func nameServer(l ppp.Lease, i int) string {
	if i >= len(l.DNS) {
		return noIPv4
	}
	return l.DNS[i].String()
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
		if !active || m.activeLocked(c) {
			list = append(list, strconv.Itoa(c.cid))
		}
	}
	return strings.Join(list, ",")
}

// showParameters tells what the network granted: cid, bearer, APN, address and mask, gateway, name servers.
func showParameters(x *exchange, a args) result {
	x.m.mu.Lock()
	defer x.m.mu.Unlock()
	list, ok := x.m.contextsLocked(a)
	if !ok {
		return cmeError(cmeIncorrectParams)
	}
	for _, c := range list {
		if !x.m.activeLocked(c) {
			continue
		}
		x.info(x.m.formatLocked("+CGCONTRDP", c, nil))
	}
	return resultOK
}
