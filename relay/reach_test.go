package relay

import (
	"net"
	"net/netip"
	"syscall"
	"testing"
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
