package store

import (
	"net/netip"
	"time"
)

// EntryType is the type of an audit entry, in Napter's words.
type EntryType string

// The entry types. The first five are about connections, the others about port mappings; all but Extended are Napter's.
const (
	Access    EntryType = "ACCESS"
	Denied    EntryType = "DENIED"
	Connected EntryType = "CONNECTED"
	Closed    EntryType = "CLOSED"
	Refused   EntryType = "REFUSED"
	Created   EntryType = "CREATED"
	Deleted   EntryType = "DELETED"
	Expired   EntryType = "EXPIRED"
	Extended  EntryType = "EXTENDED"
)

// Control tells whether the type is about a port mapping and not about a connection.
func (t EntryType) Control() bool {
	return t == Created || t == Deleted || t == Expired || t == Extended
}

// Entry is one line of the audit log. Only Time and Type are always there.
type Entry struct {
	Time         time.Time      `json:"t"`
	Type         EntryType      `json:"type"`
	ConnectionID string         `json:"conn,omitempty"`
	OperatorID   string         `json:"op,omitempty"`
	SIMID        string         `json:"sim,omitempty"`
	IMSI         string         `json:"imsi,omitempty"`
	TLS          bool           `json:"tls,omitempty"`
	Source       netip.AddrPort `json:"src,omitzero"`   // the client
	Destination  netip.AddrPort `json:"dst,omitzero"`   // the public address and port
	DevicePort   uint16         `json:"port,omitempty"` // 0: a port that leads nowhere, or an entry of an older relay
	Code         string         `json:"code,omitempty"` // of the causes, R01 and on
	Reason       string         `json:"why,omitempty"`
	Protocol     string         `json:"proto,omitempty"` // that the client spoke
	Device       string         `json:"dev,omitempty"`   // and that the device spoke
	TLSVersion   string         `json:"tlsv,omitempty"`
	SNI          string         `json:"sni,omitempty"`
	BytesUp      int64          `json:"up,omitempty"`   // client to device
	BytesDown    int64          `json:"down,omitempty"` // device to client
	Duration     time.Duration  `json:"dur,omitempty"`
	End          Words          `json:"end,omitzero"` // why the connection ended, beside the code; of an EXPIRED: when the mapping did, where that was long before Time
	Count        int            `json:"n,omitempty"`  // how many equal events this entry stands for; 0: one

	Ladder []Step `json:"ev,omitempty"` // what happened on the connection, in its last entry

	// Cursor is the place after the entry, set by Audit: the same query goes on from there with it in Before.
	Cursor string `json:"-"`
}

// Step is one line of a connection's ladder: who did what when. What was said is never kept, only its kind and size.
type Step struct {
	After time.Duration // since the client connected, to the microsecond
	From  string        // client, relay or device
	What  Words
	Bytes int64 // size, where it has one
}

// Query chooses audit entries. Empty fields choose all.
type Query struct {
	SIMID string
	IMSI  string
	Type  EntryType
	Code  string    // of the causes
	From  time.Time // first moment
	To    time.Time // last moment
	Limit int       // entries in the answer; 0: 100, at most 1000

	Skip   EntryType         // a type that is left out
	Caused bool              // only entries that have a code, and denials without one
	Allow  func(string) bool // SIM ids that the caller may see; nil: all

	// Before goes on with older entries: the next that Audit returned, or the Cursor of one of its entries.
	Before string
}
