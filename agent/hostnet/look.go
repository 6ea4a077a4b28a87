package hostnet

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"strconv"
	"strings"
)

// State is how an interface of the system is.
type State struct {
	Addr     netip.Addr // its first IPv4 address that is not link-local; zero: it has none, or is down
	MTU      int
	Received uint64 // packets since it was made
}

// Look looks at an interface. It fails where there is none of this name.
func Look(name string) (State, error) {
	link, err := net.InterfaceByName(name)
	if err != nil {
		return State{}, fmt.Errorf("looking at interface %q: %w", name, explain(err))
	}
	s := State{MTU: link.MTU, Received: received(name)}
	if link.Flags&net.FlagUp == 0 || link.Flags&net.FlagRunning == 0 { // running: the modem is there at the other end
		return s, nil
	}
	list, err := link.Addrs()
	if err != nil {
		return State{}, fmt.Errorf("looking at interface %q: %w", name, err)
	}
	for _, a := range list {
		p, err := netip.ParsePrefix(a.String())
		if err == nil && p.Addr().Is4() && !p.Addr().IsLinkLocalUnicast() {
			s.Addr = p.Addr()
			break
		}
	}
	return s, nil
}

// received reads an interface's packets from proc_net_dev(5): "wwan0: <octets> <packets> ...". 0: not known.
func received(name string) uint64 {
	b, err := os.ReadFile("/proc/net/dev")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(b)) {
		iface, counters, ok := strings.Cut(strings.TrimSpace(line), ":")
		if f := strings.Fields(counters); ok && iface == name && len(f) > 1 {
			n, _ := strconv.ParseUint(f[1], 10, 64)
			return n
		}
	}
	return 0
}
