package core

import (
	"fmt"
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestParsePlatform(t *testing.T) {
	addr := netip.MustParseAddrPort(insideAddr)
	tests := []struct {
		text string
		want PlatformService
		err  string // after `platform service "…": `
	}{
		{"100.127.127.100:8888/tcp=127.0.0.1:1", PlatformService{Addr: addr, Protocol: TCP, Target: "127.0.0.1:1"}, ""},
		{"beam.soracom.io@100.127.127.100:8888/udp=localhost:1", PlatformService{Addr: addr, Protocol: UDP, Name: "beam.soracom.io", Target: "localhost:1"}, ""},
		{"100.127.127.100:8888/tcp=[::1]:1", PlatformService{Addr: addr, Protocol: TCP, Target: "[::1]:1"}, ""},
		{"", PlatformService{}, "want [NAME@]IP:PORT/PROTO=ADDR"},
		{"100.127.127.100:8888=127.0.0.1:1", PlatformService{}, "want /tcp or /udp after the port"},
		{"100.127.127.100:8888/sctp=127.0.0.1:1", PlatformService{}, `protocol "sctp": want tcp or udp`},
		{"100.127.127.100/tcp=127.0.0.1:1", PlatformService{}, `address "100.127.127.100": want IP:PORT`},
		{"[::1]:1/tcp=127.0.0.1:1", PlatformService{}, `address "[::1]:1": want an IPv4 host address and a port from 1`},
		{"100.127.127.100:0/tcp=127.0.0.1:1", PlatformService{}, `address "100.127.127.100:0": want an IPv4 host address and a port from 1`},
		{"100.127.127.100:1/tcp=example.com:1", PlatformService{}, `target "example.com:1": want IP:PORT or localhost:PORT`},
		{"100.127.127.100:1/tcp=127.0.0.1:0", PlatformService{}, `target "127.0.0.1:0": want IP:PORT or localhost:PORT`},
		{"100.127.127.100:1/tcp=127.0.0.1", PlatformService{}, `target "127.0.0.1": want IP:PORT or localhost:PORT`},
		{"@100.127.127.100:1/tcp=127.0.0.1:1", PlatformService{}, "the name before @ is empty"},
		{"-a@100.127.127.100:1/tcp=127.0.0.1:1", PlatformService{}, `name "-a": want a host name`},
	}
	for _, tt := range tests {
		t.Run(tt.text, func(t *testing.T) {
			got, err := ParsePlatform(tt.text)
			if diff := cmp.Diff(tt.want, got, cmpopts.EquateComparable(netip.AddrPort{})); diff != "" {
				t.Errorf("service (-want +got):\n%s", diff)
			}
			want := ""
			if tt.err != "" {
				want = fmt.Sprintf("platform service %q: %s", tt.text, tt.err)
			}
			if err == nil && want != "" || err != nil && err.Error() != want {
				t.Errorf("error %v, want %q", err, want)
			}
		})
	}
}

func TestPlatformRefused(t *testing.T) {
	one := PlatformService{Addr: netip.MustParseAddrPort(insideAddr), Protocol: TCP, Target: "localhost:1"}
	dns := one
	dns.Addr = netip.MustParseAddrPort("100.127.0.53:53")
	tests := []struct {
		services []PlatformService
		want     string
	}{
		{[]PlatformService{one, one}, "platform service 1: 100.127.127.100:8888/tcp is another service's"},
		{[]PlatformService{dns}, "platform service 0: 100.127.0.53:53 is a name server's"},
		{[]PlatformService{{}}, `platform service 0: address "invalid AddrPort": want an IPv4 host address and a port from 1`},
	}
	for _, tt := range tests {
		if _, err := New(Config{Platform: tt.services}); err == nil || err.Error() != tt.want {
			t.Errorf("error %v, want %q", err, tt.want)
		}
	}
	if _, err := New(Config{PlatformIdle: -1}); err == nil {
		t.Error("a negative idle time was taken")
	}
}

func FuzzParsePlatform(f *testing.F) {
	f.Add("beam.soracom.io@100.127.127.100:8888/udp=localhost:1")
	f.Add("100.127.127.100:8888/tcp=[::1%lo]:1")
	f.Fuzz(func(t *testing.T, text string) {
		s, err := ParsePlatform(text)
		if err != nil {
			return
		}
		again := fmt.Sprintf("%s/%s=%s", s.Addr, s.Protocol, s.Target)
		if s.Name != "" {
			again = s.Name + "@" + again
		}
		if got, err := ParsePlatform(again); err != nil || got != s {
			t.Fatalf("%q became %q: %v", text, again, err)
		}
	})
}
