package netstack

import (
	"bytes"

	"gvisor.dev/gvisor/pkg/tcpip/checksum"
	"gvisor.dev/gvisor/pkg/tcpip/header"
)

// maxGathered bounds what becomes one packet. A read of a serial line brings a few packets, a fast one some tens.
const maxGathered = 32 << 10

const (
	ipv4Header = header.IPv4MinimumSize

	ack, psh = uint8(header.TCPFlagAck), uint8(header.TCPFlagPsh)
)

// gathered is a TCP segment that may grow: segments which follow it, on the same connection and with the same header but for the sequence
// number, are appended, so that the stack walks through its layers, and wakes its reader, once for all (receive offload).
type gathered struct {
	packet []byte // IP and TCP headers of the first segment, and the payloads
	header int    // octets of both headers; 0: nothing is held
	next   uint32 // sequence number of the segment that fits
	sum    uint16 // of the payloads, once there is more than one
	grown  bool
}

// Gather is Deliver for a link whose packets come several at a time: a segment may be held back until Flush, which must follow, so that others
// join it. Order is kept.
func (s *Stack) Gather(packet []byte) {
	n := segmentHeader(packet)
	s.gatherMu.Lock()
	defer s.gatherMu.Unlock()
	g := &s.gathered
	if g.header > 0 && g.header == n && g.grow(packet) {
		return
	}
	s.flushLocked()
	if n == 0 {
		s.Deliver(packet)
		return
	}
	g.hold(packet, n)
}

// Flush delivers what Gather holds back.
func (s *Stack) Flush() {
	s.gatherMu.Lock()
	defer s.gatherMu.Unlock()
	s.flushLocked()
}

func (s *Stack) flushLocked() {
	if s.gathered.header > 0 {
		s.Deliver(s.gathered.take())
	}
}

func (g *gathered) hold(packet []byte, n int) {
	g.packet, g.header, g.grown = append(g.packet[:0], packet...), n, false
	g.next = header.TCP(packet[ipv4Header:]).SequenceNumber() + uint32(len(packet)-n)
}

// grow appends a segment that goes on where the held one ends, with the same header otherwise; false leaves things as they were. Both
// checksums are looked at first: the sums of what is made of them say nothing of damage on the way.
func (g *gathered) grow(packet []byte) bool {
	const tcp = ipv4Header
	held, n := g.packet, g.header
	if len(held)+len(packet)-n > maxGathered || (len(held)-n)%2 != 0 || // an odd length would swap the octets of the sum
		held[1] != packet[1] || !bytes.Equal(held[8:10], packet[8:10]) || !bytes.Equal(held[12:tcp+4], packet[12:tcp+4]) || // TOS; TTL, protocol; addresses, ports
		header.TCP(packet[tcp:]).SequenceNumber() != g.next ||
		!bytes.Equal(held[tcp+8:tcp+13], packet[tcp+8:tcp+13]) || (held[tcp+13]^packet[tcp+13])&^psh != 0 || // acknowledgement, length; flags
		!bytes.Equal(held[tcp+14:tcp+16], packet[tcp+14:tcp+16]) || !bytes.Equal(held[tcp+header.TCPMinimumSize:n], packet[tcp+header.TCPMinimumSize:n]) { // window; options
		return false
	}
	if !g.grown {
		g.sum = checksum.Checksum(held[n:], 0)
		if !validSums(held, n, g.sum) {
			return false
		}
	}
	sum := checksum.Checksum(packet[n:], 0)
	if !validSums(packet, n, sum) {
		return false
	}
	g.sum, g.grown = checksum.Combine(g.sum, sum), true
	g.packet = append(held, packet[n:]...)
	g.packet[tcp+13] |= packet[tcp+13]
	g.next += uint32(len(packet) - n)
	return true
}

// take gives what is held, as one packet.
func (g *gathered) take() []byte {
	if g.grown {
		ip, tcp := header.IPv4(g.packet), header.TCP(g.packet[ipv4Header:])
		ip.SetTotalLength(uint16(len(g.packet)))
		ip.SetChecksum(0)
		ip.SetChecksum(^ip.CalculateChecksum())
		tcp.SetChecksum(0)
		tcp.SetChecksum(^tcp.CalculateChecksum(checksum.Combine(pseudoHeader(ip), g.sum)))
	}
	g.header = 0
	return g.packet
}

// segmentHeader is the length of the headers of a TCP segment over IPv4 that may be gathered: with payload, whole, without IP options, and with
// no flag but ACK and PSH. Of anything else it is 0.
func segmentHeader(p []byte) int {
	const tcp = ipv4Header
	if len(p) < tcp+header.TCPMinimumSize || p[0] != 0x45 || p[9] != uint8(header.TCPProtocolNumber) || len(p) != int(header.IPv4(p).TotalLength()) {
		return 0
	}
	if p[6]&^0x40 != 0 || p[7] != 0 { // a fragment; 0x40 is Don't Fragment
		return 0
	}
	n := tcp + int(header.TCP(p[tcp:]).DataOffset())
	if n < tcp+header.TCPMinimumSize || n >= len(p) || p[tcp+13]&^psh != ack {
		return 0
	}
	return n
}

// validSums checks a segment whose payload comes to sum.
func validSums(p []byte, n int, sum uint16) bool {
	ip, tcp := header.IPv4(p), header.TCP(p[ipv4Header:n])
	return ip.IsChecksumValid() && tcp.CalculateChecksum(checksum.Combine(pseudoHeader(ip), sum)) == 0xffff
}

func pseudoHeader(ip header.IPv4) uint16 {
	return header.PseudoHeaderChecksum(header.TCPProtocolNumber, ip.SourceAddress(), ip.DestinationAddress(), ip.TotalLength()-ipv4Header)
}
