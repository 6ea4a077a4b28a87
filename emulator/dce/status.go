package dce

import (
	"maps"
	"slices"
	"strings"
)

// Status is a modem at one moment.
type Status struct {
	Personality  string          `json:"personality"`
	Manufacturer string          `json:"manufacturer"`
	Model        string          `json:"model"`
	Revision     string          `json:"revision"`
	IMEI         string          `json:"imei"`
	IMSI         string          `json:"imsi"`
	SIM          string          `json:"sim"` // as +CPIN: says: READY, SIM PIN, SIM PUK, NOT READY, NOT INSERTED
	Booting      bool            `json:"booting"`
	Functions    int             `json:"functionality"`
	Registration int             `json:"registration"` // as +CEREG? says
	Operator     string          `json:"operator"`     // "" when not registered
	CSQ          int             `json:"csq"`
	Contexts     []ContextStatus `json:"contexts"`
	Calls        []CallStatus    `json:"calls"`
	Ports        []PortStatus    `json:"ports"`
	Dropped      uint64          `json:"dropped"` // bytes for users who did not read
}

// ContextStatus is a PDP context.
type ContextStatus struct {
	CID    int    `json:"cid"`
	Type   string `json:"type"`
	APN    string `json:"apn"`
	Active bool   `json:"active"`
	Addr   string `json:"ipAddress"` // "" when not active
}

// CallStatus is a data call.
type CallStatus struct {
	Port       string `json:"port"`
	CID        int    `json:"cid"`
	Escaped    bool   `json:"onlineCommand"` // +++ was sent
	PacketsIn  uint64 `json:"packetsIn"`
	PacketsOut uint64 `json:"packetsOut"`
	BadFCS     uint64 `json:"badFcs"`
}

// Status may be called at any time.
func (m *Modem) Status() Status {
	m.mu.Lock()
	p := m.personality.Identity
	s := Status{
		Personality: m.personality.Name, Manufacturer: p.Manufacturer.Value, Model: p.Model.Value, Revision: p.Revision.Value,
		IMEI: m.imei, IMSI: m.sim.card.IMSI, SIM: m.sim.status(), Booting: m.booting, Functions: m.functions, Registration: int(m.reg.stat), CSQ: 99,
		Contexts: []ContextStatus{}, Calls: []CallStatus{}, Ports: []PortStatus{},
	}
	if m.reg.stat.registered() {
		s.Operator = m.cell.Operator
	}
	if m.receivesLocked() {
		s.CSQ = m.signal.csq()
	}
	for _, cid := range slices.Sorted(maps.Keys(m.contexts)) {
		c := m.contexts[cid]
		one := ContextStatus{CID: cid, Type: c.pdpType, APN: c.apn, Active: m.activeLocked(c)}
		if one.Active {
			one.Addr = m.leaseLocked(c).Addr.String()
		}
		s.Contexts = append(s.Contexts, one)
	}
	ports := m.portsLocked()
	m.mu.Unlock()
	for _, p := range ports {
		s.Ports = append(s.Ports, p.status())
		s.Dropped += p.out.dropped.Load()
		p.mu.Lock()
		c := p.call
		escaped := c != nil && c.escaped
		p.mu.Unlock()
		if c != nil {
			st := c.conn.Stats()
			s.Calls = append(s.Calls, CallStatus{Port: p.name, CID: c.cid, Escaped: escaped, PacketsIn: st.PacketsIn, PacketsOut: st.PacketsOut, BadFCS: st.BadFCS})
		}
	}
	slices.SortFunc(s.Ports, func(a, b PortStatus) int { return strings.Compare(a.Name, b.Name) })
	return s
}
