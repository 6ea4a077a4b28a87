package core

import (
	"net/netip"
	"slices"
	"strings"
)

// The network's own names. Devices' names are told only where devices may talk to each other.
const (
	zone        = "minato"
	gatewayName = "gateway." + zone
	simZone     = "sim"
)

// found is what became of a look-up.
type found int

const (
	notOurs    found = iota // ask elsewhere
	noSuchName              // in a zone of ours
	foundName               // perhaps without an address
)

// names are what the name servers know.
type names struct {
	hosts   map[string][]netip.Addr                // lower case, without final dot
	devices func(simID string) (netip.Addr, found) // nil: devices have no names
}

func (c *Core) newNames() *names {
	n := &names{hosts: map[string][]netip.Addr{gatewayName: {c.cfg.Gateway}}}
	for _, s := range c.cfg.Platform {
		name := strings.ToLower(s.Name)
		if name != "" && !slices.Contains(n.hosts[name], s.Addr.Addr()) {
			n.hosts[name] = append(n.hosts[name], s.Addr.Addr())
		}
	}
	if c.cfg.AllowDeviceToDevice {
		n.devices = c.addressOf
	}
	return n
}

// addressOf gives the address that a SIM has now.
func (c *Core) addressOf(simID string) (netip.Addr, found) {
	c.mu.Lock()
	defer c.mu.Unlock()
	sub := c.simLocked(simID)
	switch {
	case sub == nil:
		return netip.Addr{}, noSuchName
	case sub.session == nil || sub.session.ending():
		return netip.Addr{}, foundName
	}
	return sub.session.addr, foundName
}

// find looks a name up, whatever its letters.
func (n *names) find(name string) ([]netip.Addr, found) {
	name = strings.ToLower(strings.TrimSuffix(name, "."))
	if addrs := n.hosts[name]; addrs != nil {
		return addrs, foundName
	}
	for host := range n.hosts {
		if strings.HasSuffix(host, "."+name) && (name == zone || strings.HasSuffix(name, "."+zone)) { // RFC 8020: there is something below it
			return nil, foundName
		}
	}
	if name == zone || strings.HasSuffix(name, "."+zone) {
		return nil, noSuchName
	}
	if n.devices == nil {
		return nil, notOurs
	}
	if name == simZone {
		return nil, foundName
	}
	simID, ok := strings.CutSuffix(name, "."+simZone)
	if !ok {
		return nil, notOurs
	}
	addr, state := n.devices(simID)
	if !addr.IsValid() {
		return nil, state
	}
	return []netip.Addr{addr}, state
}
