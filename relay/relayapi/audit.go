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

	CloseCode string   `json:"closeCode,omitempty"` // of the close reason: the same in every language
	CloseArgs []string `json:"closeArgs,omitempty"` // and what it is about

	DevicePort     int    `json:"devicePort,omitempty"`     // that the mapping leads to; 0: not known
	DeviceProtocol string `json:"deviceProtocol,omitempty"` // what the device spoke
	Count          int    `json:"count,omitempty"`          // how many equal refusals the entry stands for; 0: one
}

// AuditExtended is a type of our own: it is in GET /v1/audit_logs/connections and the event stream only.
const AuditExtended = "EXTENDED"

// ConnectionLogEntry is one entry of GET /v1/audit_logs/connections: how a connection ended, with its ladder.
type ConnectionLogEntry struct {
	NapterAuditLogEntry
	Ladder []LadderStep `json:"ladder"`
}

// LadderStep is one step of a connection: who did what when. What was said is never kept, only its kind and size.
type LadderStep struct {
	AfterMs int64  `json:"afterMs"` // since the client connected
	From    string `json:"from"`    // client, relay or device
	What    string `json:"what"`
	Bytes   int64  `json:"bytes,omitempty"`

	Code string   `json:"code,omitempty"` // of what, the same in every language
	Args []string `json:"args,omitempty"` // and what it is about
}

// APIAuditLogEntry is one entry of GET /v1/audit_logs/api. AuthKeyID and StatusCode are this relay's own.
type APIAuditLogEntry struct {
	APIKind              string `json:"apiKind"` // the route, such as "POST /v1/port_mappings"
	OperatorID           string `json:"operatorId"`
	RemoteIPAddress      string `json:"remoteIpAddress"`
	RequestPath          string `json:"requestPath"`
	RequestedTimeEpochMs int64  `json:"requestedTimeEpochMs"`
	UserName             string `json:"userName"` // the key's name
	AuthKeyID            string `json:"authKeyId,omitempty"`
	StatusCode           int    `json:"statusCode"`
}

// LogEntry is one entry of GET /v1/logs, SORACOM's error log, of which the relay has Napter's part.
type LogEntry struct {
	OperatorID   string              `json:"operatorId"`
	ResourceType string              `json:"resourceType"` // Subscriber
	ResourceID   string              `json:"resourceId"`   // IMSI
	Service      string              `json:"service"`      // Napter
	LogLevel     string              `json:"logLevel"`     // warning, or error where the device is at fault
	Time         int64               `json:"time"`
	Body         NapterAuditLogEntry `json:"body"`
}

// AuditLogStats is the answer of GET /v1/stats/napter/audit_logs.
type AuditLogStats struct {
	ExportedBytes int64  `json:"exportedBytes"` // of audit log that the API has answered with in that month
	YearMonth     string `json:"yearMonth"`     // YYYYMM
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
	SIMID            string // "": all; this relay's own
	Code             string // "": all; this relay's own
	Type             string // "": all; of ConnectionLogs only
	From, To         int64  // milliseconds; 0: no bound
	Limit            int    // 1 to 1000; 0: 100
	LastEvaluatedKey string // HeaderNextKey of the page before
}
