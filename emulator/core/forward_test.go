package core

import (
	"net/netip"
	"testing"
	"time"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/checksum"
	"gvisor.dev/gvisor/pkg/tcpip/header"
)

// TestDeviceToDevice has devices talk to each other, and what is in the way of that told by the gateway.
func TestDeviceToDevice(t *testing.T) {
	subs := openSubscribers(3)
	subs[1].MTU = 1000
	c := startCore(t, Config{Subscribers: subs, AllowDeviceToDevice: true})
	one, two := activate(t, c, subs[0]), activate(t, c, subs[1])
	down := make(chan []byte, 16)
	take := func(packets [][]byte) error {
		for _, p := range packets {
			down <- append([]byte(nil), p...)
		}
		return nil
	}
	one.Attach(take)
	two.Attach(take)
	own, other := one.Lease().Addr, two.Lease().Addr
	withTTL := func(p []byte, ttl uint8) []byte {
		ip := header.IPv4(p)
		ip.SetTTL(ttl)
		ip.SetChecksum(0)
		ip.SetChecksum(^ip.CalculateChecksum())
		return p
	}
	long := append(ping(own, other), make([]byte, 1000)...)
	header.IPv4(long).SetTotalLength(uint16(len(long)))
	reply := ping(own, netip.MustParseAddr("10.200.0.1"))
	header.ICMPv4(reply[20:]).SetType(header.ICMPv4EchoReply)

	tests := []struct {
		name    string
		packet  []byte
		to      netip.Addr // zero: nothing comes
		from    netip.Addr
		ttl     uint8
		icmp    header.ICMPv4Type
		code    header.ICMPv4Code
		nextMTU uint16
	}{
		{"forwarded", withTTL(ping(own, other), 64), other, own, 63, header.ICMPv4Echo, 0, 0},
		{"last hop", withTTL(ping(own, other), 2), other, own, 1, header.ICMPv4Echo, 0, 0},
		{"any checksum carry", withTTL(ping(own, other), 255), other, own, 254, header.ICMPv4Echo, 0, 0},
		{"TTL over", withTTL(ping(own, other), 1), own, c.cfg.Gateway, 64, header.ICMPv4TimeExceeded, header.ICMPv4TTLExceeded, 0},
		{"TTL none", withTTL(ping(own, other), 0), own, c.cfg.Gateway, 64, header.ICMPv4TimeExceeded, header.ICMPv4TTLExceeded, 0},
		{"nobody", ping(own, netip.MustParseAddr("10.200.0.1")), own, c.cfg.Gateway, 64, header.ICMPv4DstUnreachable, header.ICMPv4HostUnreachable, 0},
		{"an echo reply to nobody", reply, netip.Addr{}, own, 0, 0, 0, 0},
		{"too long", withTTL(long, 64), own, c.cfg.Gateway, 64, header.ICMPv4DstUnreachable, header.ICMPv4FragmentationNeeded, 1000},
		{"spoofed", ping(other, own), netip.Addr{}, own, 0, 0, 0, 0},
		{"to itself", withTTL(ping(own, own), 64), own, own, 63, header.ICMPv4Echo, 0, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			one.Deliver(tt.packet)
			if !tt.to.IsValid() {
				tt.to, tt.from, tt.ttl = own, c.cfg.Gateway, 0
				one.Deliver(ping(own, c.cfg.Gateway)) // the next answer is this one's
			}
			p := header.IPv4(<-down)
			if !p.IsValid(len(p)) || !p.IsChecksumValid() {
				t.Errorf("bad header % x", p)
			}
			icmp := header.ICMPv4(p.Payload())
			if p.SourceAddress() != tcpip.AddrFrom4(tt.from.As4()) || p.DestinationAddress() != tcpip.AddrFrom4(tt.to.As4()) ||
				tt.ttl != 0 && p.TTL() != tt.ttl || icmp.Type() != tt.icmp || icmp.Code() != tt.code || icmp.MTU() != tt.nextMTU && tt.nextMTU != 0 {
				t.Errorf("got % x", p)
			}
		})
	}
	if got := one.Info(); got.Spoofed != 1 || got.Isolated != 0 {
		t.Errorf("%+v", got)
	}
	two.Close("gone")
	one.Deliver(ping(own, other))
	if p := header.IPv4(<-down); header.ICMPv4(p.Payload()).Code() != header.ICMPv4HostUnreachable {
		t.Errorf("after the end % x", p)
	}
}

// TestLongFromDevice has a device send more than its session carries, to the gateway itself.
func TestLongFromDevice(t *testing.T) {
	subs := openSubscribers(1)
	subs[0].MTU = 1000
	c := startCore(t, Config{Subscribers: subs})
	s := activate(t, c, subs[0])
	down := make(chan []byte, 4)
	s.Attach(func(packets [][]byte) error {
		for _, p := range packets {
			down <- append([]byte(nil), p...)
		}
		return nil
	})
	for _, tt := range []struct {
		length int
		want   header.ICMPv4Type
	}{{1001, header.ICMPv4DstUnreachable}, {1000, header.ICMPv4EchoReply}} {
		p := ping(s.Lease().Addr, c.cfg.Gateway)
		p = append(p, make([]byte, tt.length-len(p))...)
		ip := header.IPv4(p)
		ip.SetTotalLength(uint16(len(p)))
		ip.SetChecksum(0)
		ip.SetChecksum(^ip.CalculateChecksum())
		echo := header.ICMPv4(ip.Payload())
		echo.SetChecksum(0)
		echo.SetChecksum(^checksum.Checksum(echo, 0))
		s.Deliver(p)
		answer := header.ICMPv4(header.IPv4(<-down).Payload())
		if answer.Type() != tt.want || tt.want == header.ICMPv4DstUnreachable && (answer.Code() != header.ICMPv4FragmentationNeeded || answer.MTU() != 1000) {
			t.Errorf("of %d octets: type %d, code %d, MTU %d", tt.length, answer.Type(), answer.Code(), answer.MTU())
		}
	}
}

// TestDeviceToDeviceTCP has one device's program dial another's.
func TestDeviceToDeviceTCP(t *testing.T) {
	subs := openSubscribers(2)
	c := startCore(t, Config{Subscribers: subs, AllowDeviceToDevice: true, MTU: 1280})
	server, client := activate(t, c, subs[0]), activate(t, c, subs[1])
	echo(t, startDevice(t, server), ":7")
	conn, err := startDevice(t, client).DialContext(testContext(t), "tcp", netip.AddrPortFrom(server.Lease().Addr, 7).String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(patience))
	checkEcho(t, conn, "hello from one to the other")
}
