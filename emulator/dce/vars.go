package dce

import (
	"fmt"
	"slices"
	"strconv"
	"time"
)

// place is what a text is filled in for: a modem, and where it matters a PDP context and what the place itself knows.
type place struct {
	m       *Modem
	context *pdpContext // nil: the first that is active
	port    string
	locals  map[string]any // win over vars
}

// vars are the values that every text of a personality may hold. They are called with Modem.mu held.
var vars = map[string]func(p *place) any{
	"manufacturer": func(p *place) any { return p.m.personality.Identity.Manufacturer.Value },
	"model":        func(p *place) any { return p.m.personality.Identity.Model.Value },
	"revision":     func(p *place) any { return p.m.personality.Identity.Revision.Value },
	"imei":         func(p *place) any { return p.m.imei },
	"svn":          func(p *place) any { return p.m.personality.Identity.SVN.Value },
	"gcap":         func(p *place) any { return p.m.personality.Identity.GCAP.Value },

	"imsi":   func(p *place) any { return p.m.sim.card.IMSI },
	"iccid":  func(p *place) any { return p.m.sim.card.ICCID },
	"msisdn": func(p *place) any { return p.m.sim.card.MSISDN },
	"spn":    func(p *place) any { return p.m.sim.card.SPN },
	"cpin":   func(p *place) any { return p.m.sim.status() },
	"pins":   func(p *place) any { return max(0, pinTries-p.m.sim.badPIN) }, // tries left
	"puks":   func(p *place) any { return max(0, pukTries-p.m.sim.badPUK) },
	"pin2s":  func(p *place) any { return max(0, pinTries-p.m.sim.second.badPIN) },
	"puk2s":  func(p *place) any { return max(0, pukTries-p.m.sim.second.badPUK) },

	"cfun":     func(p *place) any { return p.m.functions },
	"stat":     func(p *place) any { return int(p.m.reg.stat) },
	"operator": func(p *place) any { return p.m.cell.Operator },
	"plmn":     func(p *place) any { return p.m.cell.PLMN },
	"mcc":      func(p *place) any { return p.m.cell.PLMN[:3] },
	"mnc":      func(p *place) any { return p.m.cell.PLMN[3:] },
	"tac":      func(p *place) any { return int(p.m.cell.TAC) },
	"ci":       func(p *place) any { return int(p.m.cell.ID) },
	"pci":      func(p *place) any { return int(p.m.cell.ID % 504) }, // 504 physical identities (TS 36.211 section 6.11)
	"band":     func(p *place) any { return p.m.cell.Band },
	"earfcn":   func(p *place) any { return p.m.cell.EARFCN },
	"duplex":   func(p *place) any { return duplex(p.m.cell.Band) }, // FDD or TDD
	"act":      func(p *place) any { return p.m.personality.Packet.AcT.Value },

	"csq": func(p *place) any {
		if !p.m.receivesLocked() {
			return 99
		}
		return p.m.signal.csq()
	},
	"cesq_rsrq": func(p *place) any { return p.m.cesqLocked(p.m.signal.rsrq()) },
	"cesq_rsrp": func(p *place) any { return p.m.cesqLocked(p.m.signal.rsrp()) },
	"rssi":      func(p *place) any { return p.m.signal.RSSI },
	"rsrp":      func(p *place) any { return p.m.signal.RSRP },
	"rsrq":      func(p *place) any { return p.m.signal.RSRQ },
	"sinr":      func(p *place) any { return p.m.signal.SINR },

	"cid":         func(p *place) any { return p.pdp().cid },
	"type_number": func(p *place) any { return slices.Index([]string{"IP", "IPV6", "IPV4V6"}, p.pdp().pdpType) + 1 }, // 0: none
	"nitz": func(p *place) any {
		return p.m.now().UTC().Format("2006/01/02,15:04:05") + fmt.Sprintf("%+03d,0", p.m.cell.Zone)
	},
	"type": func(p *place) any { return p.pdp().pdpType },
	"apn":  func(p *place) any { return p.pdp().apn },
	"granted_apn": func(p *place) any { // a SIM has one APN, whatever the context names
		if !p.m.reg.stat.registered() && !p.m.reg.kept { // without a cell the attach lasts
			return ""
		}
		return p.m.reg.apn
	},
	"auth":      func(p *place) any { return int(p.pdp().auth) },
	"user":      func(p *place) any { return p.pdp().user },
	"pass":      func(p *place) any { return p.pdp().password },
	"address":   func(p *place) any { return address(p.m.leaseLocked(p.pdp())) },
	"dns1":      func(p *place) any { return nameServer(p.m.leaseLocked(p.pdp()), 0) },
	"dns2":      func(p *place) any { return nameServer(p.m.leaseLocked(p.pdp()), 1) },
	"active":    func(p *place) any { return bit(p.m.activeLocked(p.pdp())) },
	"addresses": func(p *place) any { return p.m.addressesLocked(p.pdp()) }, // of both IPs
	"mask":      func(p *place) any { mask, _ := subnet(p.m.leaseLocked(p.pdp()).Addr); return mask },
	"gateway":   func(p *place) any { _, gateway := subnet(p.m.leaseLocked(p.pdp()).Addr); return gateway },

	"local_nitz": func(p *place) any { return p.networkTime("2006/01/02,15:04:05") + ",0" },
	"local_time": func(p *place) any { return p.networkTime(clockFormat) },

	"port":   func(p *place) any { return p.port },
	"uptime": func(p *place) any { return strconv.Itoa(int(p.m.now().Sub(p.m.started).Milliseconds())) },
}

// networkTime is the network's local time with its zone, in quarters of an hour.
func (p *place) networkTime(layout string) string {
	zone := p.m.cell.Zone
	return p.m.now().UTC().Add(time.Duration(zone)*15*time.Minute).Format(layout) + fmt.Sprintf("%+03d", zone)
}

func (m *Modem) cesqLocked(v int) int {
	if !m.receivesLocked() {
		return 255
	}
	return v
}

var noContext = &pdpContext{}

// pdp is the context that the text is about.
func (p *place) pdp() *pdpContext {
	if p.context != nil {
		return p.context
	}
	if v, ok := p.locals["cid"]; ok {
		if n, err := integer(v); err == nil && p.m.contexts[n] != nil {
			return p.m.contexts[n]
		}
		return noContext
	}
	list, _ := p.m.contextsLocked(nil)
	for _, c := range list {
		if c.session != nil {
			return c
		}
	}
	if len(list) > 0 {
		return list[0]
	}
	return noContext
}

func (p *place) value(name string) any {
	if v, ok := p.locals[name]; ok {
		return v
	}
	if f := vars[name]; f != nil {
		return f(p)
	}
	panic(fmt.Sprintf("dce: value %q of a text that was checked", name))
}

// fillLocked puts the modem's values into a text.
func (m *Modem) fillLocked(t template, locals map[string]any) string {
	return t.fill((&place{m: m, locals: locals}).value)
}

func (m *Modem) fillTemplate(t template) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.fillLocked(t, nil)
}

// fill puts values into a text of the program's own; one that is no template stays as it is.
func (m *Modem) fill(text string) string {
	t, err := parseTemplate(text, knownVar)
	if err != nil {
		return text
	}
	return m.fillTemplate(t)
}

func knownVar(name string) bool { return vars[name] != nil }
