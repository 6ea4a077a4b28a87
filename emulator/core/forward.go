package core

import (
	"encoding/binary"
	"net/netip"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/checksum"
	"gvisor.dev/gvisor/pkg/tcpip/header"

	"minato/agent/netstack/capture"
)

// What the gateway tells a device of a packet that it could not forward (RFC 792, RFC 1191).
const (
	icmpQuote = 576 - header.IPv4MinimumSize - header.ICMPv4MinimumSize // RFC 1812 section 4.3.2.3
	icmpTTL   = 64
)

// forward brings a packet to a device, or says why it cannot. The TTL is one less there. It never waits: a device that takes nothing must
// not hold up the one that sends.
func (c *Core) forward(packet []byte, refuse func(header.ICMPv4Type, header.ICMPv4Code, uint16)) {
	if packet[8] <= 1 {
		refuse(header.ICMPv4TimeExceeded, header.ICMPv4TTLExceeded, 0)
		return
	}
	c.routesMu.RLock()
	to := c.routes[destination(packet)]
	c.routesMu.RUnlock()
	if to == nil || to.ending() {
		refuse(header.ICMPv4DstUnreachable, header.ICMPv4HostUnreachable, 0)
		return
	}
	if len(packet) > to.mtu { // cellular networks do not fragment, whatever the packet allows
		refuse(header.ICMPv4DstUnreachable, header.ICMPv4FragmentationNeeded, uint16(to.mtu))
		return
	}
	b := packetBuffers.Get().(*packetBuffer)
	defer packetBuffers.Put(b)
	p := b.data[:copy(b.data[:], packet)]
	lowerTTL(p)
	to.send(p)
}

// send brings a packet that does not come from the session's own gateway to the device.
func (s *Session) send(packet []byte) {
	if c := s.core; c.capture != nil {
		c.capture.Packet(s.sub.iface, capture.Outbound, packet)
	}
	s.enqueue([][]byte{packet}, false)
}

// lowerTTL takes one off and keeps the header's checksum right (RFC 1624, equation 3).
func lowerTTL(p []byte) {
	old := binary.BigEndian.Uint16(p[8:])
	p[8]--
	sum := uint32(^binary.BigEndian.Uint16(p[10:])) + uint32(^old) + uint32(binary.BigEndian.Uint16(p[8:]))
	sum = sum&0xffff + sum>>16
	sum = sum&0xffff + sum>>16
	binary.BigEndian.PutUint16(p[10:], ^uint16(sum))
}

// refuse sends an ICMP error about a packet of the device to it, where RFC 1122 section 3.2.2 allows one.
func (s *Session) refuse(packet []byte, kind header.ICMPv4Type, code header.ICMPv4Code, nextMTU uint16) {
	if answer := icmpError(s.core.cfg.Gateway, packet, kind, code, nextMTU); answer != nil {
		s.send(answer)
	}
}

func icmpError(from netip.Addr, packet []byte, kind header.ICMPv4Type, code header.ICMPv4Code, nextMTU uint16) []byte {
	ip := header.IPv4(packet)
	if ip.FragmentOffset() != 0 || destination(packet).IsMulticast() {
		return nil
	}
	if ip.Protocol() == uint8(header.ICMPv4ProtocolNumber) {
		if payload := packet[ip.HeaderLength():]; len(payload) < header.ICMPv4MinimumSize || header.ICMPv4(payload).Type() != header.ICMPv4Echo {
			return nil // never an error about an error
		}
	}
	quote := packet[:min(len(packet), icmpQuote)]
	b := make([]byte, header.IPv4MinimumSize+header.ICMPv4MinimumSize+len(quote))
	header.IPv4(b).Encode(&header.IPv4Fields{
		TotalLength: uint16(len(b)), TTL: icmpTTL, Protocol: uint8(header.ICMPv4ProtocolNumber),
		SrcAddr: tcpip.AddrFrom4(from.As4()), DstAddr: ip.SourceAddress(),
	})
	header.IPv4(b).SetChecksum(^header.IPv4(b).CalculateChecksum())
	icmp := header.ICMPv4(b[header.IPv4MinimumSize:])
	icmp.SetType(kind)
	icmp.SetCode(code)
	icmp.SetMTU(nextMTU)
	copy(icmp[header.ICMPv4MinimumSize:], quote)
	icmp.SetChecksum(^checksum.Checksum(icmp, 0))
	return b
}
