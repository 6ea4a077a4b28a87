package core

import "fmt"

// Cause is why the network rejects, from 3GPP TS 24.301 (EMM, ESM): 8 operator determined barring or both services not allowed, 27 unknown APN,
// 28 unknown PDN type, 29 user authentication failed, 33 service option not subscribed, 50 PDN type IPv4 only allowed, 55 multiple PDN connections for a given APN not allowed.
type Cause int

// The causes that this network gives.
const (
	CauseServicesNotAllowed    Cause = 8  // EMM: what an unknown subscriber gets (TS 29.272 annex A, DIAMETER_ERROR_USER_UNKNOWN)
	CauseInsufficientResources Cause = 26 // ESM: the pool is empty
	CauseUnknownAPN            Cause = 27 // ESM
	CauseUnknownPDNType        Cause = 28 // ESM: neither IPv4 nor IPv6
	CauseAuthenticationFailed  Cause = 29 // ESM
	CauseIPv4Only              Cause = 50 // ESM: IPv6 was asked for
	CauseMultiplePDN           Cause = 55 // ESM: a second connection of one modem
	CauseProtocolState         Cause = 98 // ESM: a PDN connection asked for without being attached
)

// Reject is the network's no.
type Reject struct {
	Cause  Cause
	Reason string
}

func (r *Reject) Error() string {
	return fmt.Sprintf("the network rejects: %s (cause %d)", r.Reason, r.Cause)
}

func reject(c Cause, format string, args ...any) *Reject {
	return &Reject{Cause: c, Reason: fmt.Sprintf(format, args...)}
}
