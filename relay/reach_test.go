package relay

import (
	"fmt"
	"net"
	"net/netip"
	"syscall"
	"testing"
	"time"
)

// That the directory has no session of a SIM is no sign of the closed network, which nobody has tried then.
func TestDirectoryIsNoSignOfNetwork(t *testing.T) {
	here := netip.MustParseAddr("127.0.0.1")
	r := startRelay(t, Config{Network: &RouteNetwork{
		Directory: fixedDirectory{{ID: simA, Online: true, Addr: here}, {ID: simB}},
		Dialer:    net.Dialer{Control: func(string, string, syscall.RawConn) error { return syscall.ENETUNREACH }},
	}})
	for range unreachedDials {
		if _, err := r.dialDevice(t.Context(), simA, 80); causeOfDial(err) != CauseNetworkUnreachable {
			t.Errorf("dialling: %v, want R37", err)
		}
		for _, sim := range []string{simB, "none"} {
			if _, err := r.dialDevice(t.Context(), sim, 80); causeOfDial(err) != CauseSIMOffline {
				t.Errorf("dialling: %v, want R11", err)
			}
		}
	}
	if h, err := r.Health(t.Context()); err != nil || h.Status != "degraded" {
		t.Errorf("health %+v, %v; no dial has got into the closed network", h, err)
	}
}

// Without clients nobody finds out that the network is back: after a while nothing is said of it.
func TestUnreachedAges(t *testing.T) {
	var r reach
	now := time.Now()
	for range unreachedDials {
		r.note(now, simA, ErrNetwork)
	}
	if n := r.unreached(now.Add(unreachedAge - time.Second)); n != unreachedDials {
		t.Errorf("%d dials did not get there, want %d", n, unreachedDials)
	}
	if n := r.unreached(now.Add(unreachedAge)); n != 0 {
		t.Errorf("%d dials did not get there, want none of so long ago", n)
	}
	now = now.Add(unreachedAge)
	if r.note(now, simB, ErrNetwork); r.unreached(now) != 1 {
		t.Errorf("%d dials did not get there, want the last alone", r.unreached(now))
	}
}

// A relay that has too much to do has not tried the network.
func TestOwnWantIsNoSignOfNetwork(t *testing.T) {
	var r reach
	now := time.Now()
	for _, want := range ownWant {
		r.note(now, simA, fmt.Errorf("%w: %w", ErrNetwork, want))
	}
	if n := r.unreached(now); n != 0 {
		t.Errorf("%d dials did not get there, want none", n)
	}
}
