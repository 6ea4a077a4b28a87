package dce

import (
	"net/netip"
	"testing"
)

// TestSubnet has the addresses of ModemManager's tests of ^DHCP first, and then the ends of a subnet.
func TestSubnet(t *testing.T) {
	for _, tt := range []struct{ addr, mask, gateway string }{
		{"100.92.236.163", "255.255.255.248", "100.92.236.161"},
		{"10.10.1.1", "255.255.255.252", "10.10.1.2"},
		{"10.8.219.204", "255.255.255.248", "10.8.219.201"},
		{"10.128.0.2", "255.255.255.252", "10.128.0.1"},
		{"10.128.0.7", "255.255.255.240", "10.128.0.1"},
		{"10.128.0.8", "255.255.255.240", "10.128.0.1"},
		{"10.128.0.255", "255.255.254.0", "10.128.0.1"},
		{"255.255.255.255", "0.0.0.0", "0.0.0.0"},
	} {
		if mask, gateway := subnet(netip.MustParseAddr(tt.addr)); mask != tt.mask || gateway != tt.gateway {
			t.Errorf("%s: mask %s, gateway %s, want %s and %s", tt.addr, mask, gateway, tt.mask, tt.gateway)
		}
	}
	if mask, gateway := subnet(netip.Addr{}); mask != "0.0.0.0" || gateway != "0.0.0.0" {
		t.Errorf("no address: mask %s, gateway %s", mask, gateway)
	}
}
