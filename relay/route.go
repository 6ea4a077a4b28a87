package relay

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"syscall"
)

// RouteNetwork reaches devices by the kernel's routes, at the address that the directory gives.
type RouteNetwork struct {
	Directory Directory
	Dialer    net.Dialer // the zero value is good
}

var _ Network = (*RouteNetwork)(nil)

// DialSIM connects to a port of a SIM's device. The address is looked up again after connecting: when the SIM's session changed in between, the
// device that answered may be another customer's, and the connection is not used.
func (n *RouteNetwork) DialSIM(ctx context.Context, simID string, port uint16) (net.Conn, error) {
	addr, err := n.address(ctx, simID)
	if err != nil {
		return nil, fmt.Errorf("dialling SIM %q port %d: %w", simID, port, err)
	}
	conn, err := n.Dialer.DialContext(ctx, "tcp", netip.AddrPortFrom(addr, port).String())
	if err != nil {
		err = routeError(err)
		if errors.Is(err, ErrNetwork) { // or the session has ended since: only the directory knows
			if gone := n.stillAt(ctx, simID, addr); errors.Is(gone, ErrOffline) {
				err = fmt.Errorf("%w (%v)", gone, err)
			}
		}
		return nil, fmt.Errorf("dialling SIM %q port %d: %w", simID, port, err)
	}
	if err := n.stillAt(ctx, simID, addr); err != nil {
		conn.Close()
		return nil, fmt.Errorf("dialling SIM %q port %d: %w", simID, port, err)
	}
	return conn, nil
}

// stillAt asks again for the address of a SIM's session.
func (n *RouteNetwork) stillAt(ctx context.Context, simID string, addr netip.Addr) error {
	after, err := n.address(ctx, simID)
	if err == nil && after != addr {
		err = fmt.Errorf("%w: its address changed from %s to %s", errNoSession, addr, after)
	}
	return err
}

// address asks the directory where a SIM's session is now.
func (n *RouteNetwork) address(ctx context.Context, simID string) (netip.Addr, error) {
	sim, err := n.sim(ctx, simID)
	switch {
	case errors.Is(err, ErrUnknownSIM):
		return netip.Addr{}, err
	case err != nil:
		return netip.Addr{}, fmt.Errorf("%w: %w", ErrDirectory, err)
	}
	return addressOf(sim)
}

func (n *RouteNetwork) sim(ctx context.Context, simID string) (SIM, error) {
	if f, ok := n.Directory.(simFinder); ok {
		return f.FreshSIM(ctx, simID)
	}
	list := n.Directory.SIMs
	if f, ok := n.Directory.(freshDirectory); ok {
		list = f.FreshSIMs // a cached address may be another device's by now
	}
	sims, err := list(ctx)
	if err != nil {
		return SIM{}, err
	}
	for _, s := range sims {
		if s.ID == simID {
			return s, nil
		}
	}
	return SIM{}, ErrUnknownSIM
}

// errNoSession is ErrOffline where it is the directory that says so: nothing was sent into the closed network.
var errNoSession = fmt.Errorf("%w", ErrOffline)

// addressOf is the address of a SIM's session.
func addressOf(s SIM) (netip.Addr, error) {
	if !s.Online || !s.Addr.IsValid() {
		return netip.Addr{}, errNoSession
	}
	return s.Addr, nil
}

// errHostUnreachable is of the neighbour's silence here, or by ICMP (RFC 792, type 3 code 1) from a router.
var errHostUnreachable = fmt.Errorf("%w, or a gateway there has just lost the device", ErrNetwork)

// routeError tells apart what the kernel says. That there is no route, or that a next hop does not answer, is no word of the device's: the
// relay's own way to the closed network is meant, or that of a gateway.
func routeError(err error) error {
	var netErr net.Error
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Errorf("%w: %w", ErrRefused, err)
	case errors.Is(err, syscall.EHOSTUNREACH):
		return fmt.Errorf("%w: %w", errHostUnreachable, err)
	case errors.As(err, &netErr) && netErr.Timeout():
		return fmt.Errorf("%w: %w", ErrTimeout, err)
	}
	return fmt.Errorf("%w: %w", ErrNetwork, err)
}
