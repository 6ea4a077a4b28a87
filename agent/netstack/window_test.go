package netstack

import (
	"bytes"
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"time"

	"gvisor.dev/gvisor/pkg/tcpip/checksum"
	"gvisor.dev/gvisor/pkg/tcpip/header"
)

// filler is a peer that does what Linux does with a receive window: it fills it to the last octet, and gives its acknowledgements the sequence
// number that comes after.
type filler struct {
	t       *testing.T
	s       *Stack
	out     chan []byte
	next    uint32 // what it sends next
	edge    uint32 // as far as it may send
	acked   uint32 // as far as the stack has taken that
	arrived uint32 // as far as the stack has sent
	ack     uint32 // as far as this is acknowledged
}

const fillerShift = 7 // the window scale of both

// send gives the stack a segment with n octets of payload.
func (f *filler) send(flags header.TCPFlags, options []byte, n int) {
	f.s.Deliver(segment(f.next, string(make([]byte, n)), func(ip header.IPv4, tcp header.TCP) {
		ip.SetSourceAddress(tcpAddr(addrB))
		ip.SetDestinationAddress(tcpAddr(addrA))
		tcp.SetDestinationPort(80)
		tcp.SetAckNumber(f.ack)
		tcp.SetFlags(uint8(flags))
		tcp.SetWindowSize(65535)
		copy(tcp[header.TCPMinimumSize:], options)
	}))
	f.next += uint32(n)
}

// receive takes the stack's next segment.
func (f *filler) receive() header.TCP {
	f.t.Helper()
	select {
	case p := <-f.out:
		tcp := header.TCP(header.IPv4(p).Payload())
		if f.acked = tcp.AckNumber(); tcp.Flags()&header.TCPFlagSyn == 0 {
			f.edge = f.acked + uint32(tcp.WindowSize())<<fillerShift
		}
		if end := tcp.SequenceNumber() + uint32(len(tcp.Payload())); int32(end-f.arrived) > 0 {
			f.arrived = end
		}
		return tcp
	case <-time.After(patience):
		f.t.Fatal("the stack says nothing")
		return nil
	}
}

// TestWindowFilled has a peer fill the receive window of an application that writes and does not read. The last segment is smaller than a unit of the
// window, and what comes before it is acknowledged on its own: the stack offers what is left rounded down, to nothing. It must take that segment and
// the acknowledgements that come after it.
func TestWindowFilled(t *testing.T) {
	for _, last := range []int{1, 50, 127} {
		t.Run(fmt.Sprint(last), func(t *testing.T) {
			f := &filler{t: t, out: make(chan []byte, 1<<12)}
			f.s = runStack(t, Config{Addrs: []netip.Addr{addrA}, Output: func(packets [][]byte) error {
				for _, p := range packets {
					f.out <- bytes.Clone(p)
				}
				return nil
			}})
			l, err := f.s.Listen("tcp", ":80")
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			f.send(header.TCPFlagSyn, []byte{header.TCPOptionWS, 3, fillerShift, header.TCPOptionMSS, 4, 1460 >> 8, 1460 & 0xff, 1, 1, 1, 1, 1}, 0)
			f.next++
			tcp := f.receive()
			if o := header.ParseSynOptions(tcp.Options(), true); o.WS != fillerShift {
				t.Fatalf("the window scale is %d", o.WS)
			}
			f.arrived = tcp.SequenceNumber() + 1
			f.ack = f.arrived
			noOptions := bytes.Repeat([]byte{header.TCPOptionNOP}, 12)
			f.send(header.TCPFlagAck, noOptions, 0)
			conn, err := l.Accept()
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			conn.SetDeadline(time.Now().Add(patience))

			written := make(chan error, 1)
			go func() {
				_, err := conn.Write(make([]byte, 1<<20)) // more than the stack keeps
				written <- err
			}()
			for f.edge == 0 {
				f.receive()
			}
			const size = 8 << fillerShift // of the others, so that rounding does nothing before the last one
			for {
				left := int(f.edge - f.next)
				if left == last {
					break
				}
				n := size
				if left <= size {
					n = left - last
				}
				if n <= 0 {
					t.Fatalf("%d octets are left of the window", left)
				}
				f.send(header.TCPFlagAck, noOptions, n)
				edge := f.edge
				for f.acked != f.next {
					f.receive()
				}
				if int32(f.edge-edge) < 0 { // taken back
					f.edge = edge
				}
			}
			f.send(header.TCPFlagAck, noOptions, last)
			for written != nil || f.acked != f.next {
				f.receive()
				if f.ack != f.arrived {
					f.ack = f.arrived
					f.send(header.TCPFlagAck, noOptions, 0)
				}
				select {
				case err := <-written:
					if written = nil; err != nil {
						t.Fatal(err)
					}
				default:
				}
			}
		})
	}
}

func TestOfferLess(t *testing.T) {
	const flagsAt = ipv4Header + header.TCPFlagsOffset
	v6 := func(p []byte) []byte { // the same segment
		tcp := header.TCP(slices.Clone(p[ipv4Header:]))
		ip := header.IPv6(make([]byte, header.IPv6MinimumSize))
		ip.Encode(&header.IPv6Fields{
			PayloadLength: uint16(len(tcp)), TransportProtocol: header.TCPProtocolNumber, HopLimit: 64, SrcAddr: tcpAddr(addrA6), DstAddr: tcpAddr(addrB6),
		})
		tcp.SetChecksum(0)
		tcp.SetChecksum(^tcp.CalculateChecksum(checksum.Checksum(tcp.Payload(), header.PseudoHeaderChecksum(header.TCPProtocolNumber, tcpAddr(addrA6), tcpAddr(addrB6), uint16(len(tcp))))))
		return append(ip, tcp...)
	}
	change := func(f func(p []byte)) []byte { p := segment(1, "abc"); f(p); return p }
	for _, window := range []uint16{1, 2, 256, 500, 65535} {
		p := segment(1, "abc", func(_ header.IPv4, tcp header.TCP) { tcp.SetWindowSize(window) })
		for _, p := range [][]byte{p, v6(p)} {
			offerLess(p)
			tcp, from, to := header.TCP(nil), addrA, addrB
			if p[0]>>4 == 4 {
				tcp = header.IPv4(p).Payload()
			} else {
				tcp, from, to = header.IPv6(p).Payload(), addrA6, addrB6
			}
			if tcp.WindowSize() != window-1 {
				t.Errorf("IPv%d: %d became %d", p[0]>>4, window, tcp.WindowSize())
			}
			if !tcp.IsChecksumValid(tcpAddr(from), tcpAddr(to), checksum.Checksum(tcp.Payload(), 0), uint16(len(tcp.Payload()))) {
				t.Errorf("IPv%d, window %d: the checksum is wrong", p[0]>>4, window)
			}
		}
	}
	for name, p := range map[string][]byte{
		"SYN":      change(func(p []byte) { p[flagsAt] = byte(header.TCPFlagSyn) }),
		"SYN, ACK": change(func(p []byte) { p[flagsAt] = byte(header.TCPFlagSyn | header.TCPFlagAck) }),
		"RST":      change(func(p []byte) { p[flagsAt] = byte(header.TCPFlagRst) }),
		"closed":   change(func(p []byte) { header.TCP(p[ipv4Header:]).SetWindowSize(0) }),
		"UDP":      change(func(p []byte) { p[9] = 17 }),
		"fragment": change(func(p []byte) { header.IPv4(p).SetFlagsFragmentOffset(0, 8) }),
		"short":    segment(1, "abc")[:ipv4Header+header.TCPMinimumSize-1],
		"no IP":    make([]byte, 100),
		"empty":    {},
	} {
		before := slices.Clone(p)
		if offerLess(p); !bytes.Equal(p, before) {
			t.Errorf("%s: changed to % x", name, p)
		}
	}
}
