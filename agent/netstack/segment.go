package netstack

import (
	"gvisor.dev/gvisor/pkg/buffer"
	"gvisor.dev/gvisor/pkg/tcpip/checksum"
	"gvisor.dev/gvisor/pkg/tcpip/header"
	"gvisor.dev/gvisor/pkg/tcpip/stack"
)

// segmentsAtOnce is how many full segments TCP hands to the link as one packet, which is cut up here (segmentation offload): the stack's layers are
// walked through once for all of them. With more, one connection's burst would only hold up the others' packets for longer.
const segmentsAtOnce = 16

// atOnce is no more than a sixteenth of the queue: on a slow line, whose queue is short, a burst would hold up LCP's echoes.
func (l *link) atOnce() int { return min(segmentsAtOnce, int(l.length)/16) }

// SupportedGSO implements stack.GSOEndpoint. With it the checksums of a connection's packets are left to us as well.
func (l *link) SupportedGSO() stack.SupportedGSO {
	if l.atOnce() < 2 {
		return stack.GSONotSupported
	}
	return stack.HostGSOSupported
}

// GSOMaxSize implements stack.GSOEndpoint: so large that a packet over IPv4 comes to whole segments, in which gVisor leaves room for every option.
func (l *link) GSOMaxSize() uint32 {
	const subtracted = header.TCPTotalHeaderMaximumSize + 1 // by gVisor, before it fills the rest with payload
	mss := max(int(l.MTU())-header.IPv4MinimumSize-header.TCPHeaderMaximumSize, 1)
	return uint32(min(subtracted+l.atOnce()*mss, maxMTU))
}

// segments tells how many packets of the link a packet of gVisor's is.
func segments(pkt *stack.PacketBuffer) int {
	mss := int(pkt.GSOOptions.MSS)
	if mss == 0 {
		return 1
	}
	return max((pkt.Data().Size()+mss-1)/mss, 1)
}

// appendPackets appends the link's packets that pkt is to packets, and their octets to arena.
func appendPackets(packets [][]byte, arena []byte, pkt *stack.PacketBuffer) ([][]byte, []byte) {
	in := piecesOf(pkt)
	if !pkt.GSOOptions.NeedsCsum {
		from := len(arena)
		arena = in.appendTo(arena, pkt.Size())
		return append(packets, arena[from:len(arena):len(arena)]), arena
	}
	ip := len(pkt.NetworkHeader().Slice())
	var room [header.TCPTotalHeaderMaximumSize]byte
	head := in.appendTo(room[:0], ip+len(pkt.TransportHeader().Slice()))
	left, mss := pkt.Data().Size(), int(pkt.GSOOptions.MSS)
	for i, n := 0, segments(pkt); i < n; i++ {
		from, size := len(arena), left
		if i < n-1 {
			size = mss
		}
		left -= size
		arena = in.appendTo(append(arena, head...), size)
		p := arena[from:len(arena):len(arena)]
		number(p, ip, i, uint32(i*mss), i == n-1)
		packets = append(packets, p)
	}
	return packets, arena
}

// number makes the headers of a segment from those of the packet that it is cut from: the i-th, at an offset. What stands for the end of the data
// goes into the last.
func number(p []byte, ip, i int, offset uint32, last bool) {
	tcp := header.TCP(p[ip:])
	tcp.SetSequenceNumber(tcp.SequenceNumber() + offset)
	if !last {
		tcp.SetFlags(uint8(tcp.Flags() &^ (header.TCPFlagPsh | header.TCPFlagFin)))
	}
	var pseudo uint16
	if p[0]>>4 == 4 {
		v4 := header.IPv4(p)
		v4.SetTotalLength(uint16(len(p)))
		v4.SetID(v4.ID() + uint16(i)) // RFC 6864 section 4.3: unique, where the packet may be fragmented
		v4.SetChecksum(0)
		v4.SetChecksum(^v4.CalculateChecksum())
		pseudo = header.PseudoHeaderChecksum(header.TCPProtocolNumber, v4.SourceAddress(), v4.DestinationAddress(), uint16(len(tcp)))
	} else {
		v6 := header.IPv6(p)
		v6.SetPayloadLength(uint16(len(p) - header.IPv6MinimumSize))
		pseudo = header.PseudoHeaderChecksum(header.TCPProtocolNumber, v6.SourceAddress(), v6.DestinationAddress(), uint16(len(tcp)))
	}
	tcp.SetChecksum(0)
	tcp.SetChecksum(^checksum.Checksum(tcp, pseudo))
}

// pieces reads a packet, which gVisor keeps in several of them, from the start.
type pieces struct {
	view *buffer.View
	skip int // octets of view that were read, or are no part of the packet
}

func piecesOf(pkt *stack.PacketBuffer) pieces {
	views, skip := pkt.AsViewList()
	return pieces{views.Front(), skip}
}

// appendTo appends the next n octets to dst.
func (in *pieces) appendTo(dst []byte, n int) []byte {
	for n > 0 && in.view != nil {
		b := in.view.AsSlice()
		if in.skip >= len(b) {
			in.view, in.skip = in.view.Next(), in.skip-len(b)
			continue
		}
		b = b[in.skip:min(in.skip+n, len(b))]
		dst = append(dst, b...)
		in.skip += len(b)
		n -= len(b)
	}
	return dst
}
