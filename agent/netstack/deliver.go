package netstack

import (
	"gvisor.dev/gvisor/pkg/buffer"
	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/header"
	"gvisor.dev/gvisor/pkg/tcpip/stack"
)

// Deliver takes one IP packet from the link. It keeps no slice. Safe for concurrent use, also after the end.
func (s *Stack) Deliver(packet []byte) {
	proto, ok := packetProtocol(packet)
	if !ok || s.enter() != nil {
		s.stats.dropped.Add(1)
		return
	}
	defer s.mu.RUnlock()
	s.stats.packetsIn.Add(1)
	s.stats.bytesIn.Add(uint64(len(packet)))
	pkt := stack.NewPacketBuffer(stack.PacketBufferOptions{Payload: buffer.MakeWithData(packet)})
	s.link.InjectInbound(proto, pkt)
	pkt.DecRef()
}

// packetProtocol looks at the version only; gVisor checks the rest and counts what it refuses.
func packetProtocol(packet []byte) (tcpip.NetworkProtocolNumber, bool) {
	if len(packet) < header.IPv4MinimumSize || len(packet) > maxMTU {
		return 0, false
	}
	switch packet[0] >> 4 {
	case 4:
		return header.IPv4ProtocolNumber, true
	case 6:
		return header.IPv6ProtocolNumber, true
	}
	return 0, false
}
