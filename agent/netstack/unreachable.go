package netstack

import (
	"net/netip"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/checksum"
	"gvisor.dev/gvisor/pkg/tcpip/header"
)

// The router that a Switch is has an address of the documentation ranges (RFC 5737, RFC 3849), which no host should have.
var (
	routerV4 = netip.MustParseAddr("192.0.2.1")
	routerV6 = netip.MustParseAddr("2001:db8::1")
)

// quoteV4 and quoteV6 are how much of a packet its ICMP error repeats: RFC 1812 section 4.3.2.3, RFC 4443 section 2.4(c).
const (
	quoteV4 = 576 - header.IPv4MinimumSize - header.ICMPv4MinimumSize
	quoteV6 = header.IPv6MinimumMTU - header.IPv6MinimumSize - header.ICMPv6MinimumSize
)

// destination is the zero Addr for what is no IP packet.
func destination(p []byte) netip.Addr {
	switch {
	case len(p) >= header.IPv4MinimumSize && p[0]>>4 == 4:
		return netip.AddrFrom4([4]byte(p[16:20]))
	case len(p) >= header.IPv6MinimumSize && p[0]>>4 == 6:
		return netip.AddrFrom16([16]byte(p[24:40]))
	}
	return netip.Addr{}
}

// unreachable makes the ICMP error that says so of p's destination; nil where RFC 1122 section 3.2.2 forbids one.
func unreachable(p []byte) []byte {
	switch dst := destination(p); {
	case !dst.IsValid(), dst.IsMulticast(), dst == netip.AddrFrom4([4]byte{255, 255, 255, 255}):
		return nil
	case dst.Is4():
		return unreachableV4(p)
	default:
		return unreachableV6(p)
	}
}

func unreachableV4(p []byte) []byte {
	ip := header.IPv4(p)
	if ip.FragmentOffset() != 0 || int(ip.HeaderLength()) > len(p) {
		return nil
	}
	if ip.Protocol() == uint8(header.ICMPv4ProtocolNumber) {
		icmp := p[ip.HeaderLength():]
		if len(icmp) < header.ICMPv4MinimumSize || header.ICMPv4(icmp).Type() != header.ICMPv4Echo {
			return nil // never an error about an error
		}
	}
	quote := p[:min(len(p), quoteV4)]
	b := make([]byte, header.IPv4MinimumSize+header.ICMPv4MinimumSize+len(quote))
	header.IPv4(b).Encode(&header.IPv4Fields{
		TotalLength: uint16(len(b)), TTL: 64, Protocol: uint8(header.ICMPv4ProtocolNumber),
		SrcAddr: tcpip.AddrFrom4(routerV4.As4()), DstAddr: ip.SourceAddress(),
	})
	header.IPv4(b).SetChecksum(^header.IPv4(b).CalculateChecksum())
	icmp := header.ICMPv4(b[header.IPv4MinimumSize:])
	icmp.SetType(header.ICMPv4DstUnreachable)
	icmp.SetCode(header.ICMPv4HostUnreachable)
	copy(icmp[header.ICMPv4MinimumSize:], quote)
	icmp.SetChecksum(^checksum.Checksum(icmp, 0))
	return b
}

func unreachableV6(p []byte) []byte {
	ip := header.IPv6(p)
	if ip.NextHeader() == uint8(header.ICMPv6ProtocolNumber) {
		icmp := p[header.IPv6MinimumSize:]
		if len(icmp) < header.ICMPv6MinimumSize || header.ICMPv6(icmp).Type() != header.ICMPv6EchoRequest {
			return nil
		}
	}
	quote := p[:min(len(p), quoteV6)]
	b := make([]byte, header.IPv6MinimumSize+header.ICMPv6MinimumSize+len(quote))
	src, dst := tcpip.AddrFrom16(routerV6.As16()), ip.SourceAddress()
	header.IPv6(b).Encode(&header.IPv6Fields{
		PayloadLength: uint16(len(b) - header.IPv6MinimumSize), TransportProtocol: header.ICMPv6ProtocolNumber, HopLimit: 64,
		SrcAddr: src, DstAddr: dst,
	})
	icmp := header.ICMPv6(b[header.IPv6MinimumSize:])
	icmp.SetType(header.ICMPv6DstUnreachable)
	icmp.SetCode(header.ICMPv6NetworkUnreachable) // RFC 4443 section 3.1: no route; gVisor does not act on code 3
	copy(icmp[header.ICMPv6MinimumSize:], quote)
	icmp.SetChecksum(header.ICMPv6Checksum(header.ICMPv6ChecksumParams{Header: icmp, Src: src, Dst: dst}))
	return b
}
