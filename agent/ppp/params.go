package ppp

import (
	"errors"
	"fmt"
	"net/netip"
)

// Params are what the two ends agreed on.
type Params struct {
	Local, Peer netip.Addr // Peer is invalid when it gave none, as modems do
	DNS         []netip.Addr
	MTU         int // largest IP packet that the peer takes
	Auth        AuthProtocol
}

// Why Run ended, to be told apart with errors.Is.
var (
	ErrNoCarrier      = errors.New("the modem reports NO CARRIER")
	ErrPeerTerminated = errors.New("the peer ended the PPP link")
	ErrAuthRefused    = errors.New("the network refused the PPP user name or password") // A29
	ErrNoAddress      = errors.New("the network gave no IP address")                    // A30
	ErrDeadLink       = errors.New("LCP echo requests are not answered")                // A31
	ErrNegotiation    = errors.New("PPP options could not be agreed on")
	ErrLoopback       = fmt.Errorf("the line returns what we send: %w", ErrNegotiation)
)
