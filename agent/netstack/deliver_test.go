package netstack

import (
	"net/netip"
	"testing"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/checksum"
	"gvisor.dev/gvisor/pkg/tcpip/header"
)

// echoRequest is a ping between IPv4 or IPv6 addresses.
func echoRequest(from, to netip.Addr) []byte {
	src, dst := tcpAddr(from), tcpAddr(to)
	if from.Is4() {
		b := make([]byte, header.IPv4MinimumSize+header.ICMPv4MinimumSize+8)
		header.IPv4(b).Encode(&header.IPv4Fields{
			TotalLength: uint16(len(b)), TTL: 64, Protocol: uint8(header.ICMPv4ProtocolNumber), SrcAddr: src, DstAddr: dst,
		})
		header.IPv4(b).SetChecksum(^header.IPv4(b).CalculateChecksum())
		icmp := header.ICMPv4(b[header.IPv4MinimumSize:])
		icmp.SetType(header.ICMPv4Echo)
		icmp.SetChecksum(^checksum.Checksum(icmp, 0))
		return b
	}
	b := make([]byte, header.IPv6MinimumSize+header.ICMPv6EchoMinimumSize)
	header.IPv6(b).Encode(&header.IPv6Fields{
		PayloadLength: header.ICMPv6EchoMinimumSize, TransportProtocol: header.ICMPv6ProtocolNumber, HopLimit: 64, SrcAddr: src, DstAddr: dst,
	})
	icmp := header.ICMPv6(b[header.IPv6MinimumSize:])
	icmp.SetType(header.ICMPv6EchoRequest)
	icmp.SetChecksum(header.ICMPv6Checksum(header.ICMPv6ChecksumParams{Header: icmp, Src: src, Dst: dst}))
	return b
}

func TestPing(t *testing.T) {
	out := make(chan []byte, 4)
	s := runStack(t, Config{Addrs: []netip.Addr{addrA, addrA6}, Output: func(packets [][]byte) error {
		for _, p := range packets {
			out <- append([]byte(nil), p...)
		}
		return nil
	}})
	s.Deliver(echoRequest(addrB, addrA))
	if p := header.IPv4(<-out); header.ICMPv4(p.Payload()).Type() != header.ICMPv4EchoReply || p.DestinationAddress() != tcpAddr(addrB) {
		t.Errorf("answer % x", p)
	}
	s.Deliver(echoRequest(addrB6, addrA6))
	if p := header.IPv6(<-out); header.ICMPv6(p.Payload()).Type() != header.ICMPv6EchoReply || p.DestinationAddress() != tcpAddr(addrB6) {
		t.Errorf("answer % x", p)
	}
	got := s.Stats()
	if got.PacketsIn != 2 || got.PacketsOut != 2 || got.Dropped != 0 || got.BytesIn == 0 || got.BytesOut == 0 {
		t.Errorf("%+v", got)
	}
	for _, p := range [][]byte{nil, {0x45}, make([]byte, 40), make([]byte, maxMTU+1)} {
		s.Deliver(p)
	}
	if got := s.Stats().Dropped; got != 4 {
		t.Errorf("%d dropped, want 4", got)
	}
}

// TestQueueFull has a link that stands still: the stack drops and counts, and nothing waits for it.
func TestQueueFull(t *testing.T) {
	entered, leave := make(chan struct{}, 100), make(chan struct{})
	s := runStack(t, Config{Addrs: []netip.Addr{addrA}, Queue: 2, Output: func([][]byte) error {
		entered <- struct{}{}
		<-leave
		return nil
	}})
	defer close(leave)
	s.Deliver(echoRequest(addrB, addrA))
	<-entered
	for range 5 {
		s.Deliver(echoRequest(addrB, addrA))
	}
	if got := s.Stats().Dropped; got != 3 {
		t.Errorf("%d dropped, want 3", got)
	}
}

// FuzzDeliver gives a listening host anything; it must stay alive.
func FuzzDeliver(f *testing.F) {
	f.Add(echoRequest(addrB, addrA))
	f.Add(echoRequest(addrB6, addrA6))
	f.Add(syn(addrB, addrA, 80))
	s := runStack(f, Config{Addrs: []netip.Addr{addrA, addrA6}, Output: func([][]byte) error { return nil }})
	l, err := s.Listen("tcp", ":80")
	if err != nil {
		f.Fatal(err)
	}
	defer l.Close()
	f.Fuzz(func(t *testing.T, packet []byte) {
		s.Deliver(packet)
		// The fuzzer cannot guess checksums: once more with the right ones.
		if fixChecksums(packet) {
			s.Deliver(packet)
		}
		if answer := unreachable(packet); answer != nil && !destination(answer).IsValid() {
			t.Fatalf("ICMP error % x", answer)
		}
	})
}

// syn is the first packet of a connection.
func syn(from, to netip.Addr, port uint16) []byte {
	b := make([]byte, header.IPv4MinimumSize+header.TCPMinimumSize)
	header.IPv4(b).Encode(&header.IPv4Fields{
		TotalLength: uint16(len(b)), TTL: 64, Protocol: uint8(header.TCPProtocolNumber), SrcAddr: tcpAddr(from), DstAddr: tcpAddr(to),
	})
	header.TCP(b[header.IPv4MinimumSize:]).Encode(&header.TCPFields{
		SrcPort: 1024, DstPort: port, SeqNum: 1, DataOffset: header.TCPMinimumSize, Flags: header.TCPFlagSyn, WindowSize: 65535,
	})
	fixChecksums(b)
	return b
}

// fixChecksums corrects those of IPv4 and of TCP, UDP or ICMP in it.
func fixChecksums(p []byte) bool {
	if len(p) < header.IPv4MinimumSize || p[0]>>4 != 4 {
		return false
	}
	ip := header.IPv4(p)
	n := int(ip.HeaderLength())
	if n < header.IPv4MinimumSize || n > len(p) {
		return false
	}
	ip.SetTotalLength(uint16(min(len(p), maxMTU)))
	ip.SetChecksum(0)
	ip.SetChecksum(^ip.CalculateChecksum())
	body := p[n:]
	at := map[uint8]int{6: 16, 17: 6, 1: 2}[ip.Protocol()]
	if at == 0 || len(body) < at+2 {
		return true
	}
	body[at], body[at+1] = 0, 0
	var sum uint16
	if ip.Protocol() != 1 {
		sum = header.PseudoHeaderChecksum(tcpip.TransportProtocolNumber(ip.Protocol()), ip.SourceAddress(), ip.DestinationAddress(), uint16(len(body)))
	}
	checksum.Put(body[at:], ^checksum.Checksum(body, sum))
	return true
}
