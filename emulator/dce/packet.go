package dce

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"minato/agent/ppp"
)

// packetCommands are about the packet domain (TS 27.007 section 10).
func packetCommands() []command {
	return []command{
		{name: "+CGATT", read: readAttach, test: says("+CGATT: (0,1)"), set: setAttach},
		{name: "+CGDCONT", read: readContexts, test: testContexts, set: setContext},
		{name: "+CGAUTH", read: readAuth, test: testAuth, set: setAuth},
		{name: "+CGACT", read: readActive, test: says("+CGACT: (0,1)"), set: setActive},
		{name: "+CGPADDR", exec: func(x *exchange) result { return showAddresses(x, nil) }, test: testAddresses, set: showAddresses},
		{name: "+CGCONTRDP", exec: func(x *exchange) result { return showParameters(x, nil) }, test: testParameters, set: showParameters},
		{name: "+CGDATA", test: says(`+CGDATA: ("PPP")`), set: enterData},
		{name: "+CGEREP", read: readEventReporting, test: says("+CGEREP: (0-2),(0,1)"), set: setEventReporting},
	}
}

// contextsLocked gives the contexts that a names, or all in order; it is false when one is not defined.
func (m *Modem) contextsLocked(a args) ([]*pdpContext, bool) {
	var list []*pdpContext
	for i := range a {
		cid, ok := a.number(i, -1, 1, m.personality.Packet.MaxCID.Value)
		if !ok || m.contexts[cid] == nil {
			return nil, false
		}
		list = append(list, m.contexts[cid])
	}
	if len(a) == 0 {
		for _, cid := range slices.Sorted(maps.Keys(m.contexts)) {
			list = append(list, m.contexts[cid])
		}
	}
	return list, true
}

func readContexts(x *exchange) result {
	x.m.mu.Lock()
	defer x.m.mu.Unlock()
	list, _ := x.m.contextsLocked(nil)
	for _, c := range list {
		addr, short := noIPv4, noIPv4
		if c.pdpType == "IPV4V6" || c.pdpType == "IPV6" {
			addr, short = noIPv6, "::"
		}
		x.info(x.m.formatLocked("+CGDCONT", c, map[string]any{"any": addr, "any_short": short, "options": c.options}))
	}
	return resultOK
}

func testContexts(x *exchange) result {
	p := &x.m.personality.Packet
	for _, t := range pdpTypes {
		x.info(fmt.Sprintf(`+CGDCONT: %s,"%s",,,%s`, p.CIDs.Value, t, p.Options.Value))
	}
	return resultOK
}

// maxAPN is TS 23.003 section 9.1 in octets, length bytes included; as a text it has one less.
const maxAPN = 99

// setContext defines a context; with a cid alone it undefines it.
func setContext(x *exchange, a args) result {
	cid, ok := a.number(0, -1, 1, x.m.personality.Packet.MaxCID.Value)
	pdpType := strings.ToUpper(a.str(1))
	options, taken := x.m.personality.contextOptions(a[min(4, len(a)):])
	if !ok || len(a.str(2)) > maxAPN || !taken {
		return cmeError(cmeIncorrectParams)
	}
	x.m.mu.Lock()
	defer x.m.mu.Unlock()
	c := x.m.contexts[cid]
	if c != nil && (c.session != nil || c.opening || len(a) == 1 && (x.m.activeLocked(c) || cid == attachCID && x.m.bearer.Addr.IsValid())) {
		return cmeError(cmeNotAllowed)
	}
	if len(a) == 1 {
		delete(x.m.contexts, cid)
		return resultOK
	}
	if pdpType == "" {
		pdpType = "IP"
	}
	if !slices.Contains(pdpTypes, pdpType) {
		return cmeError(cmeIncorrectParams)
	}
	if c == nil {
		c = &pdpContext{cid: cid}
		x.m.contexts[cid] = c
	}
	c.pdpType, c.apn, c.options = pdpType, a.str(2), options // of the next attach, and the next session
	return resultOK
}

// contextOptions are the parameters of +CGDCONT behind the address, as its read form writes them; false: they are not among the values
// that its test form lists.
func (p *Personality) contextOptions(a args) (string, bool) {
	if len(a) > len(p.options) {
		return "", false
	}
	list := strings.Split(p.Packet.Defaults.Value, ",")
	for i := range a {
		if !a[i].given {
			continue
		}
		n, ok := a.number(i, 0, 0, 127)
		if !ok || !p.options[i].has(n) {
			return "", false
		}
		list[i] = strconv.Itoa(n)
	}
	return strings.Join(list, ","), true
}

func testAuth(x *exchange) result {
	x.info(fmt.Sprintf("+CGAUTH: (1-%d),(0-2),64,64", x.m.personality.Packet.MaxCID.Value))
	return resultOK
}

func readAuth(x *exchange) result {
	x.m.mu.Lock()
	defer x.m.mu.Unlock()
	list, _ := x.m.contextsLocked(nil)
	for _, c := range list {
		x.info(x.m.formatLocked("+CGAUTH", c, nil))
	}
	return resultOK
}

// setAuth is +CGAUTH=<cid>[,<auth_prot>[,<userid>[,<password>]]].
func setAuth(x *exchange, a args) result {
	cid, ok1 := a.number(0, -1, 1, x.m.personality.Packet.MaxCID.Value)
	auth, ok2 := a.number(1, 0, 0, 2)
	if !ok1 || !ok2 || len(a) > 4 || len(a.str(2)) > 64 || len(a.str(3)) > 64 {
		return cmeError(cmeIncorrectParams)
	}
	return x.m.authenticate(cid, auth, a.str(2), a.str(3))
}

func (m *Modem) authenticate(cid, auth int, user, password string) result {
	m.mu.Lock()
	defer m.mu.Unlock()
	c := m.contexts[cid]
	if c == nil {
		return cmeError(cmeInvalidIndex)
	}
	if auth == 0 {
		user, password = "", ""
	}
	c.auth, c.user, c.password = ppp.AuthProtocol(auth), user, password
	return resultOK
}

// enterData is +CGDATA="PPP",<cid>.
func enterData(x *exchange, a args) result {
	cid, ok := a.number(1, 1, 1, x.m.personality.Packet.MaxCID.Value)
	if !ok || len(a) > 2 || !strings.EqualFold(a.str(0), "PPP") && a.str(0) != "" {
		return cmeError(cmeIncorrectParams)
	}
	x.m.mu.Lock()
	defined := x.m.contexts[cid] != nil
	x.m.mu.Unlock()
	if !defined {
		return cmeError(cmeIncorrectParams)
	}
	r := x.dial(cid)
	if r.code == resultError.code { // the line or the context is in a call
		return cmeError(cmeNotAllowed)
	}
	return r
}
