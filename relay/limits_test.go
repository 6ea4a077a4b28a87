package relay

import (
	"net/http"
	"net/netip"
	"testing"
	"time"

	"golang.org/x/time/rate"
)

// Limits are of whoever is at the other end: one address of IPv4, the subnet of IPv6.
func TestParty(t *testing.T) {
	for _, tt := range []struct{ addr, want string }{
		{"203.0.113.9", "203.0.113.9"},
		{"::ffff:203.0.113.9", "203.0.113.9"},
		{"2001:db8:1:2::1", "2001:db8:1:2::"},
		{"2001:db8:1:2:ffff:ffff:ffff:ffff", "2001:db8:1:2::"},
		{"2001:db8:1:3::1", "2001:db8:1:3::"},
		{"fe80::1%eth0", "fe80::"},
		{"::1", "::"},
	} {
		if got := party(netip.MustParseAddr(tt.addr)); got.String() != tt.want {
			t.Errorf("%s is of %s, want %s", tt.addr, got, tt.want)
		}
	}
	if got := party(netip.Addr{}); got.IsValid() {
		t.Errorf("no address is of %s", got)
	}
}

// Another address of the same subnet for each connection helps nobody past a limit, and another subnet has its own.
func TestLimitsOfASubnet(t *testing.T) {
	for _, tt := range []struct {
		name string
		l    *limits
	}{
		{"live connections", &limits{perSource: 5, perSIM: 1000, rate: 1000, burst: 1000}},
		{"new connections", &limits{perSource: 1000, perSIM: 1000, rate: rate.Limit(1), burst: 5}},
	} {
		now := time.Now()
		var in []netip.Addr
		for a := netip.MustParseAddr("2001:db8:1:2::1"); a.Compare(netip.MustParseAddr("2001:db8:1:2::100")) < 0; a = a.Next() {
			if refused := tt.l.take(a, "sim", now); refused.IsZero() {
				in = append(in, a)
			}
		}
		if len(in) != 5 {
			t.Errorf("%s: %d of one subnet, want 5", tt.name, len(in))
		}
		other := netip.MustParseAddr("2001:db8:1:3::1")
		if refused := tt.l.take(other, "sim", now); !refused.IsZero() {
			t.Errorf("%s: another subnet: %v", tt.name, refused)
		}
		for _, a := range append(in, other) {
			tt.l.give(a, "sim")
		}
		if len(tt.l.sources) != 0 || len(tt.l.sims) != 0 {
			t.Errorf("%s: %v and %v are left", tt.name, tt.l.sources, tt.l.sims)
		}
	}
}

// The same holds for tries of passwords and for calls by nobody.
func TestGuessesOfASubnet(t *testing.T) {
	p, cr, now := newPasswords(), newCallRates(1), time.Now()
	tries, calls := 0, 0
	for a := netip.MustParseAddr("2001:db8:1:2::1"); a.Compare(netip.MustParseAddr("2001:db8:1:2::20")) < 0; a = a.Next() {
		c := &call{Request: (&http.Request{}).WithContext(t.Context()), header: http.Header{}, caller: netip.AddrPortFrom(a, 1)}
		if _, err := p.check(c, "ann", "", "guess", now); err == nil {
			tries++
		}
		if cr.check(c, now) == nil {
			calls++
		}
	}
	if tries != passwordTries || calls != 1 {
		t.Errorf("%d tries and %d calls of one subnet, want %d and 1", tries, calls, passwordTries)
	}
}
