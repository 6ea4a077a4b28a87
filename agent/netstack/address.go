package netstack

import (
	"fmt"
	"net"
	"net/netip"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/header"
)

func protocolOf(a netip.Addr) tcpip.NetworkProtocolNumber {
	if a.Is4() {
		return header.IPv4ProtocolNumber
	}
	return header.IPv6ProtocolNumber
}

// tcpAddr gives gVisor's form; the unspecified address is its empty one, which means "any".
func tcpAddr(a netip.Addr) tcpip.Address {
	if !a.IsValid() || a.IsUnspecified() {
		return tcpip.Address{}
	}
	return tcpip.AddrFromSlice(a.AsSlice())
}

func defaultSubnet(zero netip.Addr) tcpip.Subnet {
	z := zero.AsSlice()
	n, _ := tcpip.NewSubnet(tcpip.AddrFromSlice(z), tcpip.MaskFromBytes(z)) // cannot fail: equal lengths, no host bits
	return n
}

func fullAddr(a netip.AddrPort) tcpip.FullAddress {
	return tcpip.FullAddress{Addr: tcpAddr(a.Addr()), Port: a.Port()}
}

func addrPort(f tcpip.FullAddress) netip.AddrPort {
	a, _ := netip.AddrFromSlice(f.Addr.AsSlice())
	return netip.AddrPortFrom(a.Unmap(), f.Port)
}

// family is what a network name like "tcp4" allows.
type family struct {
	transport string // "tcp" or "udp"
	v4, v6    bool
}

func parseNetwork(network, transport string) (family, error) {
	f := family{transport: transport, v4: true, v6: true}
	switch network {
	case transport:
	case transport + "4":
		f.v6 = false
	case transport + "6":
		f.v4 = false
	default:
		return f, net.UnknownNetworkError(network)
	}
	return f, nil
}

// parseAddress takes literals only: a name would need a resolver, which is the caller's.
func (f family) parseAddress(address string, emptyHost bool) (netip.AddrPort, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return netip.AddrPort{}, err
	}
	if host == "" && emptyHost {
		host = "::"
		if !f.v6 {
			host = "0.0.0.0"
		}
	}
	ap, err := netip.ParseAddrPort(net.JoinHostPort(host, port))
	if err != nil {
		return netip.AddrPort{}, &net.AddrError{Err: "want an address literal and a port number", Addr: address}
	}
	ap = netip.AddrPortFrom(ap.Addr().Unmap().WithZone(""), ap.Port())
	if ap.Addr().Is4() && !f.v4 || ap.Addr().Is6() && !ap.Addr().IsUnspecified() && !f.v6 {
		return netip.AddrPort{}, &net.AddrError{Err: fmt.Sprintf("not an address for this %s network", f.transport), Addr: address}
	}
	return ap, nil
}
