package core

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"syscall"

	"minato/agent/netstack"
)

// What the doors answer, to be told apart with errors.Is; SOCKS5 replies 04, 04, 05 and 06.
var (
	ErrUnknownSIM = errors.New("no such SIM")
	ErrOffline    = errors.New("the SIM has no session")
	ErrRefused    = errors.New("the device refused the connection")
	ErrTimeout    = errors.New("the device did not answer")
)

// DialSIM connects to a port of a device, resolved at this moment: a later session of another SIM is never reached by mistake.
// The connection has CloseRead and CloseWrite. When the session ends its calls fail with ErrOffline and syscall.ECONNRESET.
func (c *Core) DialSIM(ctx context.Context, simID string, port uint16) (net.Conn, error) {
	c.mu.Lock()
	sub := c.bySIM[strings.ToLower(simID)]
	c.mu.Unlock()
	if sub == nil {
		return nil, fmt.Errorf("dialing SIM %q: %w", simID, ErrUnknownSIM)
	}
	return c.dial(ctx, sub, port)
}

// DialContext is DialSIM for an address of the form SIMID.sim:port (or IMSI.sim:port, or IMSI.imsi:port).
func (c *Core) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	switch network {
	case "tcp", "tcp4":
	default:
		return nil, &net.OpError{Op: "dial", Net: network, Err: net.UnknownNetworkError(network)}
	}
	host, portText, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("dialing %q: %w", address, err)
	}
	port, err := strconv.ParseUint(portText, 10, 16)
	if err != nil {
		return nil, fmt.Errorf("dialing %q: port %q is no number up to 65535", address, portText)
	}
	sub, err := c.lookUp(host)
	if err != nil {
		return nil, fmt.Errorf("dialing %q: %w", address, err)
	}
	return c.dial(ctx, sub, uint16(port))
}

// errNotASIM is for names that cannot be a device's, whoever is subscribed.
var errNotASIM = errors.New("want SIMID.sim, IMSI.sim or IMSI.imsi")

// lookUp finds a subscriber by a door's name.
func (c *Core) lookUp(host string) (*subscriber, error) {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	c.mu.Lock()
	defer c.mu.Unlock()
	var sub *subscriber
	if id, ok := strings.CutSuffix(host, ".sim"); ok && isLabel(id) {
		sub = c.simLocked(id)
	} else if imsi, ok := strings.CutSuffix(host, ".imsi"); ok && isLabel(imsi) {
		sub = c.byIMSI[imsi]
	} else {
		return nil, errNotASIM
	}
	if sub == nil {
		return nil, ErrUnknownSIM
	}
	return sub, nil
}

// simLocked finds a subscriber by a name under .sim, which is its SIM id, or else its IMSI, as in the control API. Core.mu is held.
func (c *Core) simLocked(id string) *subscriber {
	if sub := c.bySIM[id]; sub != nil {
		return sub
	}
	return c.byIMSI[id]
}

func (c *Core) dial(ctx context.Context, sub *subscriber, port uint16) (net.Conn, error) {
	c.mu.Lock()
	s := sub.session
	c.mu.Unlock()
	if s == nil || !s.beginDial() {
		return nil, fmt.Errorf("dialing SIM %q: %w", sub.SIMID, ErrOffline)
	}
	defer s.endDial()
	conn, err := s.dial(ctx, port)
	if err != nil {
		return nil, fmt.Errorf("dialing SIM %q port %d: %w", sub.SIMID, port, err)
	}
	return conn, nil
}

// dial is called between beginDial and endDial.
func (s *Session) dial(ctx context.Context, port uint16) (net.Conn, error) {
	limited, cancel := context.WithTimeout(ctx, s.core.cfg.DialTimeout)
	defer cancel()
	defer context.AfterFunc(s.ctx, cancel)()
	from := netip.AddrPortFrom(s.core.cfg.Gateway, 0)
	conn, err := s.gateway.DialFrom(limited, from, "tcp4", netip.AddrPortFrom(s.addr, port).String())
	if s.ending() {
		if err == nil {
			conn.(*netstack.Conn).Abort()
			conn.Close()
		}
		return nil, ErrOffline
	}
	if err == nil {
		return &doorConn{Conn: conn.(*netstack.Conn), session: s}, nil
	}
	var ne net.Error
	switch {
	case ctx.Err() != nil && !errors.Is(ctx.Err(), context.DeadlineExceeded):
		return nil, ctx.Err()
	case errors.Is(err, syscall.ECONNREFUSED):
		return nil, ErrRefused
	case errors.As(err, &ne) && ne.Timeout():
		return nil, ErrTimeout
	}
	return nil, err
}
