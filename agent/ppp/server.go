package ppp

import (
	"context"
	"net/netip"
)

// AuthProtocol is what a server demands of its peer.
type AuthProtocol int

// What a server may demand.
const (
	AuthNone AuthProtocol = iota
	AuthPAP
	AuthCHAP // CHAP with MD5 (RFC 1994)
)

// Server is the policy of the end that gives the address: a modem, as Qualcomm's do it. Authentication always succeeds on
// the link; the network decides afterwards, in Activate. A peer that refuses to authenticate is let in with empty Credentials.
type Server struct {
	Auth AuthProtocol
	Name string // in CHAP challenges; "": UMTS_CHAP_SRVR

	// Faults tells how the server fails at this moment; nil: it does not. It is called often, by the link's event loop, so that faults
	// come and go while a link is up.
	Faults func() Faults

	// Activate asks the network for an address once the peer sends its first IPCP request. Until it returns, the peer is
	// told that the bearer is not ready (RFC 1877 options naked with 10.11.12.13), at most once a second. An error ends the link.
	// It is called once, and must return when ctx ends.
	Activate func(ctx context.Context, c Credentials) (Lease, error)
}

// Lease is what the network grants.
type Lease struct {
	Addr netip.Addr   // IPv4
	DNS  []netip.Addr // the first two that are IPv4 are told
}
