package report

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"
)

// Bounds of a capture.
const (
	maxCapture = 1 << 30
	maxFlows   = 1000
)

// ParseLadder reads a pcapng or pcap capture. A cut or damaged capture gives what could be read and a Note; the error is for one
// that is no capture at all.
func ParseLadder(r io.Reader, o LadderOptions) (*Ladder, error) {
	next, err := openCapture(io.LimitReader(r, maxCapture))
	if err != nil {
		return nil, fmt.Errorf("reading the capture: %w", err)
	}
	t := newTracker(o)
	for {
		data, linkType, at, err := next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.note("the capture is cut or damaged: %v", err)
			break
		}
		t.packet(data, linkType, at)
	}
	return t.finish(), nil
}

// nextPacket gives one packet after the other, and io.EOF at the end.
type nextPacket func() (data []byte, linkType layers.LinkType, at time.Time, err error)

// openCapture knows the format by its first four bytes.
func openCapture(r io.Reader) (nextPacket, error) {
	in := bufio.NewReader(r)
	magic, err := in.Peek(4)
	if err != nil {
		return nil, errors.New("it is empty or shorter than a file header")
	}
	if binary.BigEndian.Uint32(magic) == 0x0a0d0d0a { // pcapng: a section header block
		ng, err := pcapgo.NewNgReader(in, pcapgo.NgReaderOptions{WantMixedLinkType: true, SkipUnknownVersion: true})
		if err != nil {
			return nil, fmt.Errorf("pcapng: %w", err)
		}
		return func() ([]byte, layers.LinkType, time.Time, error) {
			data, ci, err := ng.ReadPacketData()
			if err != nil {
				return nil, 0, time.Time{}, err
			}
			linkType, _ := ci.AncillaryData[0].(layers.LinkType)
			return data, linkType, ci.Timestamp, nil
		}, nil
	}
	pcap, err := pcapgo.NewReader(in)
	if err != nil {
		return nil, fmt.Errorf("neither pcapng nor pcap: %w", err)
	}
	return func() ([]byte, layers.LinkType, time.Time, error) {
		data, ci, err := pcap.ReadPacketData()
		return data, pcap.LinkType(), ci.Timestamp, err
	}, nil
}

// segment is one TCP segment.
type segment struct {
	src, dst           netip.AddrPort
	seq                uint32
	syn, ack, fin, rst bool
	payload            []byte
	missing            int // bytes of payload that the capture left out
}

const linkTypePPPWithDirection = 204

// decodeSegment gives the TCP segment of a packet, if it is one.
func decodeSegment(data []byte, linkType layers.LinkType) (segment, bool) {
	if linkType == linkTypePPPWithDirection && len(data) > 1 {
		data, linkType = data[1:], layers.LinkTypePPP
	}
	packet := gopacket.NewPacket(data, linkType, gopacket.DecodeOptions{Lazy: true, NoCopy: true}) // recovers from its decoders' panics
	tcp, ok := packet.Layer(layers.LayerTypeTCP).(*layers.TCP)
	if !ok {
		return segment{}, false
	}
	s := segment{seq: tcp.Seq, syn: tcp.SYN, ack: tcp.ACK, fin: tcp.FIN, rst: tcp.RST, payload: tcp.Payload}
	var src, dst []byte
	switch ip := packet.NetworkLayer().(type) {
	case *layers.IPv4:
		src, dst = ip.SrcIP, ip.DstIP
		s.missing = int(ip.Length) - 4*int(ip.IHL) - 4*int(tcp.DataOffset) - len(tcp.Payload)
	case *layers.IPv6:
		src, dst = ip.SrcIP, ip.DstIP
		s.missing = int(ip.Length) - 4*int(tcp.DataOffset) - len(tcp.Payload)
	}
	from, ok1 := netip.AddrFromSlice(src)
	to, ok2 := netip.AddrFromSlice(dst)
	s.missing = max(s.missing, 0)
	s.src, s.dst = netip.AddrPortFrom(from, uint16(tcp.SrcPort)), netip.AddrPortFrom(to, uint16(tcp.DstPort))
	return s, ok1 && ok2
}
