package core

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/header"
)

// TestHost has a host and a device send to each other, with devices isolated.
func TestHost(t *testing.T) {
	subs := openSubscribers(2)
	subs[1].Addr = netip.MustParseAddr("172.16.9.9")
	c := startCore(t, Config{Subscribers: subs})
	s := activate(t, c, subs[0])
	own, addr := s.Lease().Addr, netip.MustParseAddr("100.127.255.254")
	packets := make(chan []byte, 16)
	take := func(p []byte) { packets <- append([]byte(nil), p...) }
	s.Attach(func(batch [][]byte) error { take(batch[0]); return nil })
	host, err := c.Join(addr, take)
	if err != nil {
		t.Fatal(err)
	}
	want := []netip.Prefix{defaultPool, netip.MustParsePrefix("172.16.9.9/32")}
	if diff := cmp.Diff(want, c.Prefixes(), cmpopts.EquateComparable(netip.Prefix{})); diff != "" {
		t.Errorf("prefixes (-want +got):\n%s", diff)
	}
	over := ping(own, addr)
	header.IPv4(over).SetTTL(1)
	tests := []struct {
		name     string
		deliver  func([]byte)
		packet   []byte
		from, to netip.Addr
		kind     header.ICMPv4Type
	}{
		{"to a device", host.Deliver, ping(addr, own), addr, own, header.ICMPv4Echo},
		{"from a device", s.Deliver, ping(own, addr), own, addr, header.ICMPv4Echo},
		{"from a device, TTL over", s.Deliver, over, c.cfg.Gateway, own, header.ICMPv4TimeExceeded},
		{"to nobody", host.Deliver, ping(addr, subs[1].Addr), c.cfg.Gateway, addr, header.ICMPv4DstUnreachable},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			host.Deliver(ping(own, own)) // which is not the host's, and comes nowhere
			host.Deliver(tt.packet[:19])
			tt.deliver(tt.packet)
			p := header.IPv4(<-packets)
			if p.SourceAddress() != tcpip.AddrFrom4(tt.from.As4()) || p.DestinationAddress() != tcpip.AddrFrom4(tt.to.As4()) ||
				!p.IsChecksumValid() || header.ICMPv4(p.Payload()).Type() != tt.kind {
				t.Errorf("got % x", p)
			}
		})
	}
	for _, a := range []netip.Addr{own, c.cfg.Gateway, subs[1].Addr, netip.IPv6Loopback(), netip.MustParseAddr("10.200.0.1"), netip.MustParseAddr("100.127.255.253")} {
		if _, err := c.Join(a, take); err == nil {
			t.Errorf("%s joined", a)
		}
	}
	host.Leave()
	s.Deliver(ping(own, addr))
	select {
	case p := <-packets:
		t.Errorf("after the end % x", p)
	default:
	}
	if _, err := c.Join(addr, take); err != nil {
		t.Errorf("joining again: %v", err)
	}
}

func TestAfterTheEnd(t *testing.T) {
	c, err := New(Config{Subscribers: openSubscribers(1)})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := c.Run(ctx); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Join(netip.MustParseAddr("192.0.2.1"), nil); !errors.Is(err, net.ErrClosed) {
		t.Errorf("join: %v", err)
	}
	if err := c.SetShape(openSubscriber(0).SIMID, Shape{}); !errors.Is(err, net.ErrClosed) {
		t.Errorf("shape: %v", err)
	}
}
