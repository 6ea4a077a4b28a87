package core

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"strings"

	"minato/agent/ppp"
)

// ActivateRequest is a modem's request for a PDN connection.
type ActivateRequest struct {
	IMSI, APN   string // APN "": the subscriber's own, as in an EPS attach that names none
	Credentials ppp.Credentials
	Type        string // as +CGDCONT has it: IP, IPV4V6, IPV6 or another; "": IP
}

// Activate opens a session. The error is a *Reject where the network says no. A subscriber's earlier session is replaced:
// it is that of a modem which came back without a detach, as one that has a session does not ask for another.
//
// A subscriber with a user name must give it: a device that answers neither PAP nor CHAP is rejected with cause 29, as SORACOM does
// where a group demands CHAP authentication. Without a user name the SIM alone is the proof, and whatever a device sends is taken.
func (c *Core) Activate(ctx context.Context, r ActivateRequest) (*Session, error) {
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		c.mu.Lock()
		sub, err := c.admitLocked(r)
		if err != nil {
			c.mu.Unlock()
			c.log.Info("activation rejected", "imsi", r.IMSI, "apn", r.APN, "error", err)
			return nil, err
		}
		old := sub.session
		if old == nil {
			s, err := c.openLocked(sub)
			c.mu.Unlock()
			if err != nil {
				return nil, err
			}
			c.log.Info("session open", "session", s.id, "sim", sub.SIMID, "addr", s.addr)
			return s, nil
		}
		c.mu.Unlock()
		old.Close("replaced by a new activation")
	}
}

// checkType refuses what cannot be given in a network of IPv4. Of IPV4V6 it gives the IPv4 half, as a network does with cause 50 for a
// note (TS 24.301 section 6.5.1.3); of what is no PDN type of EPS, PPP among others, it knows nothing (section 9.9.4.10).
func (r *ActivateRequest) checkType() error {
	switch r.Type {
	case "", "IP", "IPV4V6":
		return nil
	case "IPV6":
		return reject(CauseIPv4Only, "PDN type IPv4 only allowed")
	}
	return reject(CauseUnknownPDNType, "unknown PDN type %s", r.Type)
}

// admitLocked decides whether the subscriber may have a session.
func (c *Core) admitLocked(r ActivateRequest) (*subscriber, error) {
	sub, err := c.servesLocked(r)
	if err == nil && sub.User != "" && !r.Credentials.Matches(sub.User, sub.Password) {
		return nil, reject(CauseAuthenticationFailed, "the user name or password is wrong")
	}
	return sub, err
}

// servesLocked decides whether there is what is asked for, whoever asks.
func (c *Core) servesLocked(r ActivateRequest) (*subscriber, error) {
	if c.ended {
		return nil, net.ErrClosed
	}
	sub, badType := c.byIMSI[r.IMSI], r.checkType()
	switch {
	case sub == nil:
		return nil, reject(CauseServicesNotAllowed, "IMSI %s is not known", r.IMSI)
	case !sub.attached:
		return nil, reject(CauseProtocolState, "IMSI %s is not attached", r.IMSI)
	case r.APN != "" && !strings.EqualFold(r.APN, sub.APN): // TS 23.003 section 9.1: APNs are not case sensitive
		return nil, reject(CauseUnknownAPN, "APN %q is not known", r.APN)
	case badType != nil:
		return nil, badType
	}
	return sub, nil
}

// addressLocked is the subscriber's own address, the one of its default bearer, or one of the pool.
func (c *Core) addressLocked(sub *subscriber) (netip.Addr, error) {
	if sub.Addr.IsValid() {
		return sub.Addr, nil
	}
	if sub.bearer.IsValid() {
		return sub.bearer, nil
	}
	if sub.session != nil {
		return sub.session.addr, nil
	}
	addr, ok := c.pool.take(sub.IMSI)
	if !ok {
		return addr, reject(CauseInsufficientResources, "no address is free in %s", c.cfg.Pool)
	}
	return addr, nil
}

// freeLocked gives a session's address back, unless the default bearer has it.
func (c *Core) freeLocked(sub *subscriber, addr netip.Addr) {
	if sub.bearer != addr {
		c.pool.release(addr)
	}
}

// openLocked makes the session and its route.
func (c *Core) openLocked(sub *subscriber) (*Session, error) {
	addr, err := c.addressLocked(sub)
	if err != nil {
		return nil, err
	}
	sub.sessions++
	s := newSession(c, sub, addr, fmt.Sprintf("%s-%d", sub.IMSI, sub.sessions))
	if err := s.openGateway(); err != nil {
		s.cancel()
		c.freeLocked(sub, addr)
		return nil, fmt.Errorf("opening session %s: %w", s.id, err)
	}
	sub.session = s
	s.setShape(sub.Shape)
	c.routesMu.Lock()
	c.routes[addr] = s
	c.routesMu.Unlock()
	c.wg.Go(s.carry)
	return s, nil
}
