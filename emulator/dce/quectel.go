package dce

import (
	"fmt"
	"slices"
)

// quectelCommands are those of Quectel's manuals whose answers depend on the modem's state; the rest is in the personality.
func quectelCommands() []command {
	return []command{
		{name: "+QNWINFO", exec: networkInformation, test: says()},
		{name: "+QCSQ", exec: vendorSignal, read: says("+QCSQ: 0"), test: says(`+QCSQ: ("NOSERVICE","GSM","WCDMA","TDSCDMA","LTE","CDMA","EVDO")`)},
		{name: "+QSPN", exec: registeredName, test: says()},
		{name: "+QENG", test: says(`+QENG: ("servingcell","neighbourcell")`), set: engineering},
		{name: "+QPINC", read: func(x *exchange) result { return pinCounters(x, nil) }, test: says(`+QPINC: ("SC","P2")`), set: pinCounters},
		{name: "+QICSGP", set: contextParameters},
		{name: "+QCFG", test: says(`+QCFG: "usbnet",(0-3)`), set: vendorConfiguration},
		{name: "+QURCCFG", test: says(`+QURCCFG: "urcport",("usbat","usbmodem","uart1","all")`), set: urcPort},
		{name: "+QPOWD", exec: func(x *exchange) result { return powerDown(x, nil) }, set: powerDown},
	}
}

func networkInformation(x *exchange) result {
	x.m.mu.Lock()
	defer x.m.mu.Unlock()
	if x.m.reg.stat != RegisteredHome {
		x.info("+QNWINFO: No Service")
		return resultOK
	}
	c := x.m.cell
	x.info(fmt.Sprintf(`+QNWINFO: "FDD LTE","%s","LTE BAND %d",%d`, c.PLMN, c.Band, c.EARFCN))
	return resultOK
}

func vendorSignal(x *exchange) result {
	x.m.mu.Lock()
	defer x.m.mu.Unlock()
	if x.m.reg.stat != RegisteredHome {
		x.info(`+QCSQ: "NOSERVICE"`)
		return resultOK
	}
	s := x.m.signal
	x.info(fmt.Sprintf(`+QCSQ: "LTE",%d,%d,%d,%d`, s.RSSI, s.RSRP, s.sinr(), s.RSRQ))
	return resultOK
}

func registeredName(x *exchange) result {
	x.m.mu.Lock()
	defer x.m.mu.Unlock()
	if x.m.reg.stat != RegisteredHome {
		return resultError
	}
	c := x.m.cell
	x.info(fmt.Sprintf(`+QSPN: "%s","%s","",0,"%s"`, c.Operator, c.Operator, c.PLMN))
	return resultOK
}

func engineering(x *exchange, a args) result {
	if a.str(0) != "servingcell" {
		return resultError
	}
	x.m.mu.Lock()
	defer x.m.mu.Unlock()
	if x.m.reg.stat != RegisteredHome {
		x.info(`+QENG: "servingcell","SEARCH"`)
		return resultOK
	}
	state := "NOCONN"
	for _, c := range x.m.contexts {
		if c.session != nil {
			state = "CONNECT"
		}
	}
	c, s := x.m.cell, x.m.signal
	x.info(fmt.Sprintf(`+QENG: "servingcell","%s","LTE","FDD",%s,%s,%X,20,%d,%d,5,5,%X,%d,%d,%d,%d,-`,
		state, c.PLMN[:3], c.PLMN[3:], c.ID, c.EARFCN, c.Band, c.TAC, s.RSRP, s.RSRQ, s.RSSI, s.SINR))
	return resultOK
}

// pinCounters tells the tries left of PIN and PUK, for all facilities or for the one that is named.
func pinCounters(x *exchange, a args) result {
	x.m.mu.Lock()
	defer x.m.mu.Unlock()
	sim := &x.m.sim
	if !sim.inserted {
		return cmeError(cmeSIMNotInserted)
	}
	all := map[string]string{
		"SC": fmt.Sprintf(`+QPINC: "SC",%d,%d`, pinTries-sim.badPIN, pukTries-sim.badPUK),
		"P2": fmt.Sprintf(`+QPINC: "P2",%d,%d`, pinTries, pukTries),
	}
	if a == nil {
		x.info(all["SC"], all["P2"])
		return resultOK
	}
	line, ok := all[a.str(0)]
	if !ok || len(a) > 1 {
		return resultError
	}
	x.info(line)
	return resultOK
}

// contextParameters is +QICSGP=<cid>[,<type>,<APN>[,<user>,<password>[,<auth>]]]: +CGDCONT and +CGAUTH in one.
func contextParameters(x *exchange, a args) result {
	cid, ok := a.number(0, -1, 1, x.m.personality.Packet.MaxCID.Value)
	if !ok || len(a) > 6 {
		return resultError
	}
	types := []string{"IP", "IPV6", "IPV4V6"}
	if len(a) == 1 {
		x.m.mu.Lock()
		defer x.m.mu.Unlock()
		c := x.m.contexts[cid]
		if c == nil {
			c = &pdpContext{pdpType: "IP"}
		}
		x.info(fmt.Sprintf(`+QICSGP: %d,"%s","%s","%s",%d`, 1+max(0, slices.Index(types, c.pdpType)), c.apn, c.user, c.password, c.auth))
		return resultOK
	}
	kind, ok1 := a.number(1, 1, 1, 3)
	auth, ok2 := a.number(5, 0, 0, 3)
	if !ok1 || !ok2 {
		return resultError
	}
	define := args{a[0], {text: types[kind-1], quoted: true, given: true}, a.at(2)}
	if r := setContext(x, define); !r.ok() {
		return r
	}
	return x.m.authenticate(cid, min(auth, 2), a.str(3), a.str(4))
}

// vendorConfiguration knows usbnet, which programs read to learn how the modem is wired, and answers it only.
func vendorConfiguration(x *exchange, a args) result {
	if a.str(0) != "usbnet" {
		return resultError
	}
	if len(a) == 1 {
		x.info(`+QCFG: "usbnet",0`)
		return resultOK
	}
	if n, ok := a.number(1, -1, 0, 3); !ok || n != 0 {
		return resultError
	}
	return resultOK
}

// urcPort is +QURCCFG="urcport"[,<port>].
func urcPort(x *exchange, a args) result {
	if a.str(0) != "urcport" {
		return resultError
	}
	ports := map[string]string{"usbat": "at", "usbmodem": "ppp", "uart1": "none", "all": "all"}
	x.m.mu.Lock()
	defer x.m.mu.Unlock()
	if len(a) == 1 {
		name := "usbat"
		for k, v := range ports {
			if v == x.m.urcTo {
				name = k
			}
		}
		x.info(fmt.Sprintf(`+QURCCFG: "urcport","%s"`, name))
		return resultOK
	}
	to, ok := ports[a.str(1)]
	if !ok || len(a) > 2 {
		return resultError
	}
	x.m.urcTo = to
	return resultOK
}

// powerDown leaves the network, says so, and comes up again: the board around the module keeps its power key pressed.
func powerDown(x *exchange, a args) result {
	if _, ok := a.number(0, 1, 0, 1); !ok {
		return resultError
	}
	r := resultOK
	r.after = func() {
		x.m.unsolicited("POWERED DOWN")
		x.m.Reset()
	}
	return r
}
