package netstack

import (
	"bytes"
	"context"
	"crypto/sha256"
	"io"
	"math/rand/v2"
	"net/netip"
	"slices"
	"sync/atomic"
	"testing"

	"gvisor.dev/gvisor/pkg/tcpip/checksum"
	"gvisor.dev/gvisor/pkg/tcpip/header"
)

// segment is a TCP segment from one host to another, with a timestamp option as both ends of a link send it.
func segment(seq uint32, payload string, change ...func(ip header.IPv4, tcp header.TCP)) []byte {
	const options = 12
	b := make([]byte, ipv4Header+header.TCPMinimumSize+options+len(payload))
	ip, tcp := header.IPv4(b), header.TCP(b[ipv4Header:])
	ip.Encode(&header.IPv4Fields{
		TotalLength: uint16(len(b)), TTL: 64, Protocol: uint8(header.TCPProtocolNumber), Flags: header.IPv4FlagDontFragment,
		SrcAddr: tcpAddr(addrA), DstAddr: tcpAddr(addrB),
	})
	tcp.Encode(&header.TCPFields{
		SrcPort: 1000, DstPort: 9, SeqNum: seq, AckNum: 7, DataOffset: header.TCPMinimumSize + options, Flags: header.TCPFlagAck, WindowSize: 500,
	})
	copy(tcp[header.TCPMinimumSize:], []byte{1, 1, 8, 10, 0, 0, 0, 5, 0, 0, 0, 6})
	copy(tcp[header.TCPMinimumSize+options:], payload)
	for _, f := range change {
		f(ip, tcp)
	}
	ip.SetChecksum(0)
	ip.SetChecksum(^ip.CalculateChecksum())
	tcp.SetChecksum(0)
	tcp.SetChecksum(^tcp.CalculateChecksum(checksum.Combine(pseudoHeader(ip), checksum.Checksum(tcp[header.TCPMinimumSize+options:], 0))))
	return b
}

func TestGatheredSegments(t *testing.T) {
	spoil := func(p []byte, at int) []byte { p[at] ^= 1; return p }
	tests := []struct {
		name          string
		first, second []byte
		grows         bool
	}{
		{"the next", segment(100, "abcd"), segment(104, "ef"), true},
		{"the next, of odd length", segment(100, "abcd"), segment(104, "e"), true},
		{"pushed", segment(100, "abcd"), segment(104, "ef", func(_ header.IPv4, tcp header.TCP) { tcp.SetFlags(uint8(header.TCPFlagAck | header.TCPFlagPsh)) }), true},
		{"across the wrap of sequence numbers", segment(0xfffffffe, "abcd"), segment(2, "ef"), true},
		{"after odd length", segment(100, "abc"), segment(103, "ef"), false},
		{"a gap", segment(100, "abcd"), segment(106, "ef"), false},
		{"the same again", segment(100, "abcd"), segment(100, "abcd"), false},
		{"another acknowledgement", segment(100, "abcd"), segment(104, "ef", func(_ header.IPv4, tcp header.TCP) { tcp.SetAckNumber(8) }), false},
		{"another window", segment(100, "abcd"), segment(104, "ef", func(_ header.IPv4, tcp header.TCP) { tcp.SetWindowSize(501) }), false},
		{"another timestamp", segment(100, "abcd"), segment(104, "ef", func(_ header.IPv4, tcp header.TCP) { tcp[header.TCPMinimumSize+7]++ }), false},
		{"another port", segment(100, "abcd"), segment(104, "ef", func(_ header.IPv4, tcp header.TCP) { tcp.SetSourcePort(1001) }), false},
		{"another address", segment(100, "abcd"), segment(104, "ef", func(ip header.IPv4, _ header.TCP) { ip.SetSourceAddress(tcpAddr(addrB)) }), false},
		{"another time to live", segment(100, "abcd"), segment(104, "ef", func(ip header.IPv4, _ header.TCP) { ip.SetTTL(63) }), false},
		{"congestion experienced", segment(100, "abcd"), segment(104, "ef", func(ip header.IPv4, _ header.TCP) { ip.SetTOS(3, 0) }), false},
		{"payload damaged", segment(100, "abcd"), spoil(segment(104, "ef"), 53), false},
		{"header damaged", segment(100, "abcd"), spoil(segment(104, "ef"), 5), false},
		{"held one damaged", spoil(segment(100, "abcd"), 53), segment(104, "ef"), false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			n := segmentHeader(tt.first)
			if n == 0 || segmentHeader(tt.second) != n {
				t.Fatalf("headers of %d and %d octets", n, segmentHeader(tt.second))
			}
			var g gathered
			g.hold(tt.first, n)
			if got := g.grow(tt.second); got != tt.grows {
				t.Fatalf("grow is %t, want %t", got, tt.grows)
			}
			got := g.take()
			if !tt.grows {
				if !bytes.Equal(got, tt.first) {
					t.Errorf("the held one has become % x", got)
				}
				return
			}
			if want := slices.Concat(tt.first[n:], tt.second[n:]); !bytes.Equal(got[n:], want) {
				t.Errorf("payload %q, want %q", got[n:], want)
			}
			checkSegment(t, got, n)
		})
	}
}

// checkSegment tells whether a merged segment is one that a strict host takes.
func checkSegment(t *testing.T, p []byte, n int) {
	t.Helper()
	if got := segmentHeader(p); got != n {
		t.Errorf("the merged segment has headers of %d octets, want %d", got, n)
	}
	if !validSums(p, n, checksum.Checksum(p[n:], 0)) {
		t.Errorf("checksums of % x", p)
	}
}

// TestNotGathered is about what is delivered alone.
func TestNotGathered(t *testing.T) {
	flags := func(f header.TCPFlags) func(header.IPv4, header.TCP) {
		return func(_ header.IPv4, tcp header.TCP) { tcp.SetFlags(uint8(f)) }
	}
	offset := func(words byte) []byte {
		p := segment(100, "ab")
		p[ipv4Header+12] = words << 4
		return p
	}
	for name, p := range map[string][]byte{
		"nothing":         nil,
		"a ping":          echoRequest(addrA, addrB),
		"IPv6":            echoRequest(addrA6, addrB6),
		"no payload":      segment(100, ""),
		"SYN":             segment(100, "ab", flags(header.TCPFlagSyn)),
		"FIN":             segment(100, "ab", flags(header.TCPFlagAck|header.TCPFlagFin)),
		"RST":             segment(100, "ab", flags(header.TCPFlagRst)),
		"urgent":          segment(100, "ab", flags(header.TCPFlagAck|header.TCPFlagUrg)),
		"congestion":      segment(100, "ab", flags(header.TCPFlagAck|header.TCPFlagEce)),
		"a fragment":      segment(100, "ab", func(ip header.IPv4, _ header.TCP) { ip.SetFlagsFragmentOffset(header.IPv4FlagMoreFragments, 0) }),
		"a later one":     segment(100, "ab", func(ip header.IPv4, _ header.TCP) { ip.SetFlagsFragmentOffset(0, 8) }),
		"padded":          append(segment(100, "ab"), 0),
		"cut":             segment(100, "ab")[:53],
		"IP options":      segment(100, "ab", func(ip header.IPv4, _ header.TCP) { ip.SetHeaderLength(24) }),
		"offset too low":  offset(4),
		"offset too high": offset(15),
	} {
		if n := segmentHeader(p); n != 0 {
			t.Errorf("%s: a header of %d octets, want none", name, n)
		}
	}
}

func TestGatherBounded(t *testing.T) {
	var g gathered
	payload := string(make([]byte, 1000))
	g.hold(segment(0, payload), 52)
	for seq := uint32(1000); ; seq += 1000 {
		if !g.grow(segment(seq, payload)) {
			break
		}
	}
	if n := len(g.take()); n > maxGathered || n < maxGathered-1000 {
		t.Errorf("%d octets gathered, want nearly %d", n, maxGathered)
	}
}

// TestGather carries a megabyte between hosts whose links bring several packets at a time.
func TestGather(t *testing.T) {
	payload := make([]byte, 1<<20)
	rand.NewChaCha8([32]byte{2}).Read(payload)
	var a, b *Stack
	var together atomic.Int64 // packets that came to b behind another at the same time
	to := func(s **Stack) func([][]byte) error {
		return func(packets [][]byte) error {
			if s == &b {
				together.Add(int64(len(packets) - 1))
			}
			for _, p := range packets {
				(*s).Gather(p)
			}
			(*s).Flush()
			return nil
		}
	}
	ready := make(chan struct{}) // both are known to each other before either sends
	wait := func(f func([][]byte) error) func([][]byte) error {
		return func(packets [][]byte) error { <-ready; return f(packets) }
	}
	a = runStack(t, Config{Addrs: []netip.Addr{addrA}, Output: wait(to(&b))})
	b = runStack(t, Config{Addrs: []netip.Addr{addrB}, Output: wait(to(&a))})
	close(ready)
	l, err := b.Listen("tcp", ":9")
	if err != nil {
		t.Fatal(err)
	}
	c, err := a.DialContext(context.Background(), "tcp", netip.AddrPortFrom(addrB, 9).String())
	if err != nil {
		t.Fatal(err)
	}
	d, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	sent := make(chan error, 1)
	go func() {
		_, err := c.Write(payload)
		c.Close()
		sent <- err
	}()
	got, err := io.ReadAll(d)
	if err != nil || sha256.Sum256(got) != sha256.Sum256(payload) {
		t.Errorf("%d octets came, not as they were sent: %v", len(got), err)
	}
	if err := <-sent; err != nil {
		t.Error(err)
	}
	d.Close()
	out, in := a.Stats().PacketsOut, b.Stats().PacketsIn
	if n := uint64(together.Load()); n == 0 || out-in < n/2 {
		t.Errorf("%d packets, %d of them together with others, were delivered as %d: want half of those joined to others, or more", out, n, in)
	}
}

// FuzzGather: no two packets make Gather's arithmetic panic, and what is merged is a sound segment of both payloads.
func FuzzGather(f *testing.F) {
	f.Add(segment(100, "abcd"), segment(104, "ef"))
	f.Add(segment(100, "abc"), segment(103, "ef"))
	f.Add(echoRequest(addrA, addrB), []byte{0x45})
	f.Fuzz(func(t *testing.T, first, second []byte) {
		n := segmentHeader(first)
		if n == 0 || segmentHeader(second) != n {
			return
		}
		var g gathered
		g.hold(first, n)
		if !g.grow(second) {
			if !bytes.Equal(g.take(), first) {
				t.Error("the held one has changed")
			}
			return
		}
		got := g.take()
		if want := slices.Concat(first[n:], second[n:]); !bytes.Equal(got[n:], want) {
			t.Errorf("payload % x, want % x", got[n:], want)
		}
		checkSegment(t, got, n)
	})
}
