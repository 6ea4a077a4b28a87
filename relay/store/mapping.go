package store

import (
	"errors"
	"net/netip"
	"time"
)

// Errors that a caller branches on.
var (
	ErrExists   = errors.New("already exists") // CreateMapping: the address and port are taken
	ErrNotFound = errors.New("not found")      // no such mapping (or it has ended), no such key
	ErrConflict = errors.New("changed by another node in the meantime")
	ErrCursor   = errors.New("not a cursor that Audit returned for this query")
	ErrClosed   = errors.New("store is closed")
	ErrUnsure   = errors.New("no answer") // a write to a mapping may be stored all the same: the same write again goes behind it, and tells
)

// Strategy says how the device is chosen when a client connects (Napter's destinationChoosingStrategy).
type Strategy string

// The strategies of Napter's API.
const (
	StrategyAir     Strategy = "AIR_PRIORITIZED"
	StrategyArc     Strategy = "ARC_PRIORITIZED"
	StrategyDynamic Strategy = "DYNAMIC"
	StrategyIMSI    Strategy = "IMSI_PRIORITIZED"
)

// Mapping is one port mapping: a public address and port that lead to a device's port until ExpiresAt.
// IP and Port identify it.
type Mapping struct {
	IP         netip.Addr     `json:"ip"`
	Port       uint16         `json:"port"`
	SIMID      string         `json:"simId,omitempty"`
	IMSI       string         `json:"imsi,omitempty"`
	Strategy   Strategy       `json:"strategy,omitempty"`
	DevicePort uint16         `json:"devicePort"`
	CreatedAt  time.Time      `json:"createdAt"`
	ExpiresAt  time.Time      `json:"expiresAt"`
	Duration   time.Duration  `json:"duration"` // as asked for; nanoseconds in JSON
	TLS        bool           `json:"tls,omitempty"`
	Sources    []netip.Prefix `json:"sources,omitempty"` // clients allowed; empty: none was given
	OperatorID string         `json:"operatorId,omitempty"`

	ClientCertificate bool `json:"clientCertificate,omitempty"` // clients must have one

	OneTime bool   `json:"oneTime,omitempty"` // good for one connection
	SpentBy string `json:"spentBy,omitempty"` // id of that connection

	// Revision is the store's compare-and-set number, set by the store and never sent by a caller except to
	// ExtendMapping, SpendMapping and ExpireMapping, which act only if the entry still has it.
	Revision uint64 `json:"-"`
}

// Addr is the public address and port.
func (m Mapping) Addr() netip.AddrPort { return netip.AddrPortFrom(m.IP, m.Port) }

// Expired tells whether the mapping has ended at now.
func (m Mapping) Expired(now time.Time) bool { return !now.Before(m.ExpiresAt) }

// EventKind is what happened to a mapping.
type EventKind int

// Kinds of Event.
const (
	MappingCreated  EventKind = iota + 1 // a mapping that was not there, or that replaced an ended one
	MappingExtended                      // the same mapping with another end
	MappingDeleted                       // deleted before its end
	MappingExpired                       // gone at or after its end
)

// String is the word for logs.
func (k EventKind) String() string {
	switch k {
	case MappingCreated:
		return "created"
	case MappingExtended:
		return "extended"
	case MappingDeleted:
		return "deleted"
	case MappingExpired:
		return "expired"
	}
	return "unknown"
}

// Event is one change of the port mappings, on this node or another. Mapping is the state after the change, or the
// last known state of one that is gone.
type Event struct {
	Kind    EventKind
	Mapping Mapping
}
