package dce

import (
	"net"
	"net/netip"
)

// subnet is what a stick invents for the Ethernet interface that it shows, around the address of a PDN connection, which has neither a mask
// nor a gateway: the smallest subnet in which the address is a host. The gateway is the first host, or the second where the device is the
// first, as in every ^DHCP of ModemManager's test data.
func subnet(addr netip.Addr) (mask, gateway string) {
	for bits := 30; bits > 0 && addr.Is4(); bits-- {
		p := netip.PrefixFrom(addr, bits).Masked()
		if addr == p.Addr() || !p.Contains(addr.Next()) { // the subnet's own, and its broadcast address
			continue
		}
		first := p.Addr().Next()
		if first == addr {
			first = addr.Next()
		}
		return net.IP(net.CIDRMask(bits, 32)).String(), first.String()
	}
	return noIPv4, noIPv4
}
