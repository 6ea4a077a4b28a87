package hostnet

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"syscall"

	"golang.org/x/sys/unix"
)

// Settings are what a link gives to the system.
type Settings struct {
	Interface string         // a TUN device
	Addr      netip.Addr     // of the device in the closed network; IPv4
	Routes    []netip.Prefix // what is reached through the link
	Metric    int            // of the routes: where another has the same destination, the lower one is used
	Queue     int            // packets that wait for the link before the system drops: the bufferbloat
	DNS       DNS
	Logger    *slog.Logger
}

// The rule by which answers leave by the link that the question came by, whatever the routes say: without it, a client in the closed
// network to whose address another route leads would never be answered. The table is named after RFC 1661.
const (
	answerTable    = 1661
	answerPriority = 1661 // before the main table's 32766
)

// Apply gives the link to the system, and returns how to take it back; the interface itself goes with its Tunnel. Name servers that
// cannot be set are only logged: addresses do without.
func Apply(s Settings, undo *Undo) (restore func(), err error) {
	restore = func() {
		if err := undo.Restore(); err != nil {
			s.Logger.Warn(notRestored, "error", err)
		}
	}
	if err := s.apply(undo); err != nil {
		restore()
		return nil, fmt.Errorf("setting up interface %q: %w", s.Interface, explain(err))
	}
	if err := s.DNS.apply(s.Interface, undo); err != nil {
		s.Logger.Warn("the closed network's name servers are not set: names are resolved as before", "error", err)
	}
	return restore, nil
}

func (s Settings) apply(undo *Undo) error {
	link, err := net.InterfaceByName(s.Interface)
	if err != nil {
		return err
	}
	// No link-local address, and so no router solicitations, which would cost data. A kernel without IPv6 has none anyway.
	if err := noIPv6Address(link.Index); err != nil {
		s.Logger.Debug("IPv6 stays as it is on the interface", "error", err)
	}
	if err := addAddress(link.Index, s.Addr); err != nil {
		return fmt.Errorf("adding address %s: %w", s.Addr, err)
	}
	if err := setLink(link.Index, true, attr{unix.IFLA_TXQLEN, u32(uint32(s.Queue))}); err != nil {
		return fmt.Errorf("bringing it up with a queue of %d packets: %w", s.Queue, err)
	}
	for _, p := range s.allRoutes() {
		if err := addRoute(link.Index, p, s.Addr, s.Metric, unix.RT_TABLE_MAIN); err != nil {
			return fmt.Errorf("adding a route to %s with metric %d: %w", p, s.Metric, err)
		}
	}
	everywhere := netip.PrefixFrom(netip.IPv4Unspecified(), 0)
	if err := addRoute(link.Index, everywhere, netip.Addr{}, 0, answerTable); err != nil {
		return fmt.Errorf("adding the route for answers: %w", err)
	}
	// Now the table is this link's alone: a rule that leads there is of a process that was killed, and may have had no disk to note it on.
	for answerRule(unix.RTM_DELRULE, 0, netip.Addr{}) == nil {
	}
	if err := undo.note(func(r *record) { r.Rule = s.Addr }); err != nil {
		s.Logger.Warn("state_dir cannot be written: should the agent be killed, only its next link removes the rule for answers", "error", err)
	}
	if err := answerRule(unix.RTM_NEWRULE, unix.NLM_F_CREATE|unix.NLM_F_EXCL, s.Addr); err != nil && !errors.Is(err, syscall.EEXIST) {
		return fmt.Errorf("adding the rule for answers: %w", err)
	}
	return nil
}

// allRoutes are those configured, and one to each name server that they leave out.
func (s Settings) allRoutes() []netip.Prefix {
	routes := s.Routes
	for _, server := range s.DNS.Servers {
		covered := false
		for _, p := range routes {
			covered = covered || p.Contains(server)
		}
		if !covered {
			routes = append(routes[:len(routes):len(routes)], netip.PrefixFrom(server, server.BitLen()))
		}
	}
	return routes
}
