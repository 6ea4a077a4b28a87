package core

import (
	"context"
	"errors"
	"net/netip"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"
	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/checksum"
	"gvisor.dev/gvisor/pkg/tcpip/header"
)

func wantCause(t *testing.T, activate func() (*Session, error), want Cause) {
	t.Helper()
	_, err := activate()
	var r *Reject
	if !errors.As(err, &r) || r.Cause != want {
		t.Fatalf("error %v, want cause %d", err, want)
	}
}

// ping makes an ICMP echo request.
func ping(from, to netip.Addr) []byte {
	b := make([]byte, header.IPv4MinimumSize+header.ICMPv4MinimumSize+8)
	header.IPv4(b).Encode(&header.IPv4Fields{
		TotalLength: uint16(len(b)), TTL: 64, Protocol: uint8(header.ICMPv4ProtocolNumber),
		SrcAddr: tcpip.AddrFrom4(from.As4()), DstAddr: tcpip.AddrFrom4(to.As4()),
	})
	header.IPv4(b).SetChecksum(^header.IPv4(b).CalculateChecksum())
	icmp := header.ICMPv4(b[header.IPv4MinimumSize:])
	icmp.SetType(header.ICMPv4Echo)
	icmp.SetIdent(1)
	icmp.SetChecksum(^checksum.Checksum(icmp, 0))
	return b
}

// TestUplink sends packets of every kind and looks at who counts them; a last ping shows that the network still answers.
func TestUplink(t *testing.T) {
	subs := openSubscribers(3)
	subs[2].Addr = netip.MustParseAddr("172.16.9.9")
	c := startCore(t, Config{Subscribers: subs})
	s, other, fixed := activate(t, c, subs[0]), activate(t, c, subs[1]), activate(t, c, subs[2])
	own := s.Lease().Addr
	gateway, dns := c.cfg.Gateway, c.cfg.DNS[1]

	down := make(chan []byte, 16)
	s.Attach(func(packets [][]byte) error {
		for _, p := range packets {
			down <- append([]byte(nil), p...)
		}
		return nil
	})
	nobody := func(packets [][]byte) error { t.Errorf("another device got % x", packets[0]); return nil }
	other.Attach(nobody)
	fixed.Attach(nobody)

	edit := func(p []byte, f func(header.IPv4)) []byte { f(p); return p }
	type counts struct{ Spoofed, Malformed, Isolated uint64 }
	tests := []struct {
		name   string
		packet []byte
		want   counts
		answer bool
	}{
		{"ping", ping(own, gateway), counts{}, true},
		{"ping the DNS", ping(own, dns), counts{}, true},
		{"padding", append(ping(own, gateway), 0, 0, 0), counts{}, true},
		{"another device's source", ping(other.Lease().Addr, gateway), counts{Spoofed: 1}, false},
		{"the gateway's source", ping(gateway, gateway), counts{Spoofed: 1}, false},
		{"to a device", ping(own, other.Lease().Addr), counts{Isolated: 1}, false},
		{"to a fixed address", ping(own, fixed.Lease().Addr), counts{Isolated: 1}, false},
		{"to an unused address", ping(own, netip.MustParseAddr("10.200.0.1")), counts{Isolated: 1}, false},
		{"to itself", ping(own, own), counts{Isolated: 1}, false},
		{"to elsewhere", ping(own, netip.MustParseAddr("198.51.100.1")), counts{}, false},
		{"empty", nil, counts{Malformed: 1}, false},
		{"short", ping(own, gateway)[:19], counts{Malformed: 1}, false},
		{"cut", ping(own, gateway)[:25], counts{Malformed: 1}, false},
		{"IPv6", append([]byte{0x60}, make([]byte, 39)...), counts{Malformed: 1}, false},
		{"header length", edit(ping(own, gateway), func(h header.IPv4) { h[0] = 0x44 }), counts{Malformed: 1}, false},
		{"header beyond the packet", edit(ping(own, gateway), func(h header.IPv4) { h[0] = 0x4f }), counts{Malformed: 1}, false},
		{"total length", edit(ping(own, gateway), func(h header.IPv4) { h.SetTotalLength(19) }), counts{Malformed: 1}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			before := s.Info()
			s.Deliver(tt.packet)
			after := s.Info()
			got := counts{after.Spoofed - before.Spoofed, after.Malformed - before.Malformed, after.Isolated - before.Isolated}
			if got != tt.want {
				t.Errorf("counted %+v, want %+v", got, tt.want)
			}
			if !tt.answer {
				return // that none came shows when the next one that is answered finds the channel empty before its own
			}
			p := header.IPv4(<-down)
			icmp := header.ICMPv4(p.Payload())
			if icmp.Type() != header.ICMPv4EchoReply || p.DestinationAddress() != tcpip.AddrFrom4(own.As4()) ||
				p.SourceAddress() != header.IPv4(tt.packet).DestinationAddress() {
				t.Errorf("answer % x", p)
			}
		})
	}
	s.Deliver(ping(own, gateway))
	<-down
	select {
	case p := <-down:
		t.Errorf("an answer that should not be: % x", p)
	default:
	}
	s.Close("over")
	s.Deliver(ping(own, gateway)) // no harm
}

func TestNameServer(t *testing.T) {
	subs := openSubscribers(1)
	c := startCore(t, Config{Subscribers: subs})
	host := startDevice(t, activate(t, c, subs[0]))
	question := dnsmessage.Question{Name: dnsmessage.MustNewName("pong.soracom.io."), Type: dnsmessage.TypeA, Class: dnsmessage.ClassINET}
	query := dnsmessage.Message{Header: dnsmessage.Header{ID: 77, RecursionDesired: true}, Questions: []dnsmessage.Question{question}}
	packed, err := query.Pack()
	if err != nil {
		t.Fatal(err)
	}
	for _, server := range []string{"100.127.0.53:53", "100.127.1.53:53"} {
		conn, err := host.DialContext(testContext(t), "udp", server)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		conn.SetDeadline(time.Now().Add(patience))
		conn.Write([]byte("nonsense"))
		if _, err := conn.Write(packed); err != nil {
			t.Fatal(err)
		}
		buf := make([]byte, 1500)
		n, err := conn.Read(buf)
		if err != nil {
			t.Fatal(err)
		}
		var m dnsmessage.Message
		if err := m.Unpack(buf[:n]); err != nil {
			t.Fatal(err)
		}
		if m.ID != 77 || !m.Response || m.RCode != dnsmessage.RCodeRefused || len(m.Questions) != 1 || m.Questions[0] != question {
			t.Errorf("%s answers %+v", server, m)
		}
	}
}

func FuzzDeliver(f *testing.F) {
	own := netip.MustParseAddr("10.128.0.1")
	f.Add(ping(own, defaultGateway))
	f.Add(ping(own, defaultDNS[0])[:21])
	subs := openSubscribers(1)
	c, err := New(Config{Subscribers: subs})
	if err != nil {
		f.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- c.Run(ctx) }()
	f.Cleanup(func() { cancel(); <-done })
	<-c.Ready()
	if _, err := c.Attach(subs[0].IMSI, "1"); err != nil {
		f.Fatal(err)
	}
	s, err := c.Activate(ctx, ActivateRequest{IMSI: subs[0].IMSI})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, packet []byte) { s.Deliver(packet) })
}
