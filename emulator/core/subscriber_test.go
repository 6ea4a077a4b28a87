package core

import (
	"context"
	"net/netip"
	"testing"
)

func TestDefaultSubscriber(t *testing.T) {
	for _, n := range []int{0, 1, 9, 99999} {
		s := DefaultSubscriber(n)
		if err := s.validate(); err != nil {
			t.Errorf("%d: %v", n, err)
		}
		if len(s.ICCID) != 19 || luhn(s.ICCID[:18]) != int(s.ICCID[18]-'0') || s.SIMID != s.ICCID {
			t.Errorf("%d: ICCID %q, SIM id %q", n, s.ICCID, s.SIMID)
		}
	}
	if got := DefaultSubscriber(2).IMSI; got != "440101234567892" {
		t.Errorf("IMSI %q", got)
	}
	// ISO/IEC 7812-1's usual example of a number with its check digit
	if got := luhn("7992739871"); got != 3 {
		t.Errorf("check digit %d, want 3", got)
	}
}

func TestNewRefuses(t *testing.T) {
	edit := func(f func(*Subscriber)) Subscriber { s := openSubscriber(0); f(&s); return s }
	one := func(f func(*Subscriber)) Config { return Config{Subscribers: []Subscriber{edit(f)}} }
	two := func(f func(*Subscriber)) Config {
		s := openSubscriber(1)
		f(&s)
		return Config{Subscribers: []Subscriber{openSubscriber(0), s}}
	}
	first := openSubscriber(0)
	tests := []struct {
		name string
		cfg  Config
		want string
	}{
		{"IMSI", one(func(s *Subscriber) { s.IMSI = "44010123456789" }), `subscriber 0: IMSI "44010123456789": want 15 digits`},
		{"ICCID", one(func(s *Subscriber) { s.ICCID = "89F" }), `subscriber 0: ICCID "89F": want 19 or 20 digits`},
		{"no SIM id", one(func(s *Subscriber) { s.SIMID, s.ICCID = "", "" }), "subscriber 0: a SIM id or an ICCID is needed"},
		{"SIM id", one(func(s *Subscriber) { s.SIMID = "a.b" }), `subscriber 0: SIM id "a.b": want at most 63 letters, digits, hyphens and underscores`},
		{"password only", one(func(s *Subscriber) { s.Password = "x" }), "subscriber 0: a password without a user"},
		{"address", one(func(s *Subscriber) { s.Addr = netip.IPv6Loopback() }), `subscriber 0: address "::1": want an IPv4 host address`},
		{"gateway's address", one(func(s *Subscriber) { s.Addr = defaultGateway }), `subscriber 0: address "100.127.0.1" is the network's own`},
		{"IMSI twice", two(func(s *Subscriber) { s.IMSI = first.IMSI }), `subscriber 1: IMSI "440101234567890" is another subscriber's`},
		{"SIM id twice", two(func(s *Subscriber) { s.SIMID = first.SIMID }), `subscriber 1: SIM id "8981100000000000002" is another subscriber's`},
		{"pool", Config{Pool: netip.MustParsePrefix("fd00::/64")}, `pool "fd00::/64": want an IPv4 prefix of 8 to 30 bits`},
		{"gateway", Config{Gateway: netip.MustParseAddr("fd00::1")}, `gateway or DNS address "fd00::1": want an IPv4 host address`},
		{"DNS", Config{DNS: []netip.Addr{defaultGateway}}, `address "100.127.0.1" is both the gateway and a DNS server`},
		{"MTU", Config{MTU: 1501}, "MTU 1501: want 576 to 1500"},
		{"MTU of a subscriber", one(func(s *Subscriber) { s.MTU = 575 }), "subscriber 0: MTU 575: want 576 to 1500"},
		{"shape", one(func(s *Subscriber) { s.Shape.Up.Loss = 2 }), "subscriber 0: shape: up: loss 2: want 0 to 1"},
		{"dial timeout", Config{DialTimeout: -1}, "dial timeout -1ns: want a positive duration"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := New(tt.cfg)
			if err == nil || err.Error() != tt.want {
				t.Errorf("error %v, want %q", err, tt.want)
			}
		})
	}
}

// TestFixedAddress gives a subscriber its own address at every session, and to nobody else.
func TestFixedAddress(t *testing.T) {
	subs := openSubscribers(2)
	subs[1].Addr = netip.MustParseAddr("10.128.0.1")
	c := startCore(t, Config{Subscribers: subs})
	if got := activate(t, c, subs[0]).Lease().Addr.String(); got != "10.128.0.2" {
		t.Errorf("the pool gave %s", got)
	}
	for range 2 {
		s := activate(t, c, subs[1])
		if got := s.Lease().Addr; got != subs[1].Addr {
			t.Errorf("got %s", got)
		}
		s.Close("again")
	}
}

// TestNeverReady is a network that is ended before it begins.
func TestNeverReady(t *testing.T) {
	c, err := New(Config{Subscribers: openSubscribers(1)})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := c.Run(ctx); err != nil {
		t.Error(err)
	}
}
