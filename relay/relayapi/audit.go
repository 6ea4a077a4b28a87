package relayapi

// Audit log entry types, as Napter's. A connection whose source is allowed starts with ACCESS. Then come CONNECTED and CLOSED; or
// DENIED, when the relay refuses what the client does; or CLOSED alone with a code, when the device was not reached.
const (
	AuditAccess    = "ACCESS"
	AuditConnected = "CONNECTED"
	AuditDenied    = "DENIED"
	AuditRefused   = "REFUSED" // too many connections
	AuditClosed    = "CLOSED"
	AuditCreated   = "CREATED"
	AuditDeleted   = "DELETED"
	AuditExpired   = "EXPIRED"
)

// NapterAuditLogEntry is one entry of GET /v1/audit_logs/napter. From Code on the fields are this relay's own.
type NapterAuditLogEntry struct {
	OperatorID   string    `json:"operatorId"`
	IMSI         string    `json:"imsi"`
	ConnectionID string    `json:"connectionId,omitempty"` // the same in all entries of a connection; none for a mapping's own entries
	CreatedAt    int64     `json:"createdAt"`
	TLS          bool      `json:"tls"`
	Type         string    `json:"type"`
	Direction    Direction `json:"direction"`

	SIMID       string `json:"simId,omitempty"`
	Code        string `json:"code,omitempty"`     // R01...: why it failed
	Reason      string `json:"reason,omitempty"`   // the same in words, with the cure
	Protocol    string `json:"protocol,omitempty"` // what the client spoke
	BytesUp     int64  `json:"bytesUp,omitempty"`  // client to device
	BytesDown   int64  `json:"bytesDown,omitempty"`
	TLSVersion  string `json:"tlsVersion,omitempty"`
	SNI         string `json:"sni,omitempty"`
	DurationMs  int64  `json:"durationMs,omitempty"`
	CloseReason string `json:"closeReason,omitempty"`
}

// Direction is who connected to what. For a connection: the client, and the mapping's public address and port.
type Direction struct {
	SourceIPAddress      string `json:"sourceIPAddress"`
	SourcePort           int64  `json:"sourcePort"`
	DestinationIPAddress string `json:"destinationIPAddress"`
	DestinationPort      int64  `json:"destinationPort"`
}

// AuditQuery selects audit entries, newest first.
type AuditQuery struct {
	IMSI             string // "": all
	From, To         int64  // milliseconds; 0: no bound
	Limit            int    // 1 to 1000; 0: 100
	LastEvaluatedKey string // HeaderNextKey of the page before
}
