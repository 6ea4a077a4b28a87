// Package relayapi is the relay's REST API as Go: the JSON types of SORACOM Napter's public API, what the relay adds to them,
// and a client. The server, the tunnel and the tests share it, so that there is one spelling of every field.
//
// Times are milliseconds since 1970, durations of a mapping are seconds, as in Napter's API.
package relayapi

// AuthRequest is the body of POST /v1/auth: a key, or a user.
type AuthRequest struct {
	AuthKeyID           string `json:"authKeyId,omitempty"`  // keyId-...
	AuthKey             string `json:"authKey,omitempty"`    // secret-...
	OperatorID          string `json:"operatorId,omitempty"` // with UserName and Password
	UserName            string `json:"userName,omitempty"`
	Password            string `json:"password,omitempty"`
	Email               string `json:"email,omitempty"`               // Napter's; it opens nothing here
	MFAOTPCode          string `json:"mfaOTPCode,omitempty"`          // Napter's; not looked at
	TokenTimeoutSeconds int    `json:"tokenTimeoutSeconds,omitempty"` // 1 to 172800; 0: 86400
}

// AuthResponse carries the two credentials that every other call sends as headers.
type AuthResponse struct {
	APIKey     string `json:"apiKey"` // X-Soracom-API-Key
	Token      string `json:"token"`  // X-Soracom-Token; three dot-parts, the middle one says the operator
	OperatorID string `json:"operatorId"`
	UserName   string `json:"userName,omitempty"`
}

// Headers of an authenticated call, and of a page that has a next one.
const (
	HeaderAPIKey  = "X-Soracom-API-Key"
	HeaderToken   = "X-Soracom-Token"
	HeaderNextKey = "X-Soracom-Next-Key"
)

// CreatePortMappingRequest is the body of POST /v1/port_mappings, and of POST /v1/port_mappings/sims/{sim_id}, where
// the destination holds no SIM.
type CreatePortMappingRequest struct {
	Destination               Destination `json:"destination"`
	Duration                  *int        `json:"duration,omitempty"` // seconds, 1 to 28800; nil: 1800
	Source                    *Source     `json:"source,omitempty"`   // nil or no range: the caller's own address
	TLSRequired               bool        `json:"tlsRequired,omitempty"`
	OneTime                   bool        `json:"oneTime,omitempty"`                   // this relay's own: the mapping ends with its first connection
	ClientCertificateRequired bool        `json:"clientCertificateRequired,omitempty"` // this relay\'s own, with TLSRequired: clients show a certificate of the relay\'s client CA
}

// Destination is the device side of a mapping. A request names the SIM by SIMID or IMSI; SIMID wins.
type Destination struct {
	Port     int    `json:"port"`
	SIMID    string `json:"simId,omitempty"`
	IMSI     string `json:"imsi,omitempty"`
	Service  string `json:"service,omitempty"`                     // "air" or "arc", with SIMID only; not echoed
	Strategy string `json:"destinationChoosingStrategy,omitempty"` // set in replies, ignored in requests
}

// Destination choosing strategies of a reply.
const (
	StrategyAir     = "AIR_PRIORITIZED"
	StrategyArc     = "ARC_PRIORITIZED"
	StrategyDynamic = "DYNAMIC"
	StrategyIMSI    = "IMSI_PRIORITIZED"
)

// Source is who may connect: prefixes in CIDR notation.
type Source struct {
	IPRanges []string `json:"ipRanges"`
}

// PortMapping is a mapping as the API answers it. Its identity is IPAddress and Port.
type PortMapping struct {
	IPAddress   string      `json:"ipAddress"`
	Port        int         `json:"port"`
	Endpoint    string      `json:"endpoint"` // IP:PORT
	Hostname    string      `json:"hostname"` // the address with dashes: the name in the certificate
	OperatorID  string      `json:"operatorId"`
	SIMID       string      `json:"simId,omitempty"`
	IMSI        string      `json:"imsi,omitempty"` // only with StrategyIMSI
	CreatedTime int64       `json:"createdTime"`
	ExpiredTime int64       `json:"expiredTime"` // when the mapping ends by itself
	Duration    int         `json:"duration"`
	Expired     bool        `json:"expired"`
	TLSRequired bool        `json:"tlsRequired"`
	Destination Destination `json:"destination"`
	Source      Source      `json:"source"`
	Placement   string      `json:"placement"`

	// This relay's own.
	OneTime                   bool      `json:"oneTime,omitempty"`
	Spent                     bool      `json:"spent,omitempty"` // the one connection is there, and no other is let in
	ClientCertificateRequired bool      `json:"clientCertificateRequired,omitempty"`
	Warnings                  []Warning `json:"warnings,omitempty"` // in the answer of a create or extend only
}

// Warning tells of what is allowed but is most often a mistake. Codes are stable: W19...
type Warning struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

// SIM is enough of Napter's Sim for list and get.
type SIM struct {
	SIMID         string                `json:"simId"`
	OperatorID    string                `json:"operatorId"`
	Status        string                `json:"status"`
	Tags          map[string]string     `json:"tags"`
	ActiveProfile string                `json:"activeProfileId,omitempty"`
	Profiles      map[string]SIMProfile `json:"profiles,omitempty"`
	SessionStatus SessionStatus         `json:"sessionStatus"`
}

// SIMProfile is one profile of a SIM, by its ICCID.
type SIMProfile struct {
	ICCID       string                   `json:"iccid"`
	PrimaryIMSI string                   `json:"primaryImsi"`
	Subscribers map[string]SIMSubscriber `json:"subscribers"`
}

// SIMSubscriber is a subscriber of a profile, by its IMSI.
type SIMSubscriber struct {
	IMSI   string `json:"imsi"`
	MSISDN string `json:"msisdn,omitempty"`
	Status string `json:"status"`
}

// SessionStatus is a SIM's session as the network last told it.
type SessionStatus struct {
	Online        bool   `json:"online"`
	IMSI          string `json:"imsi,omitempty"`
	IMEI          string `json:"imei,omitempty"`
	UEIPAddress   string `json:"ueIpAddress,omitempty"`
	LastUpdatedAt int64  `json:"lastUpdatedAt,omitempty"`
}

// Subscriber is enough of Napter's Subscriber for list and get.
type Subscriber struct {
	IMSI          string            `json:"imsi"`
	MSISDN        string            `json:"msisdn,omitempty"`
	ICCID         string            `json:"iccid,omitempty"`
	SIMID         string            `json:"simId"`
	OperatorID    string            `json:"operatorId"`
	Status        string            `json:"status"`
	IPAddress     string            `json:"ipAddress,omitempty"`
	Type          string            `json:"type"`
	SpeedClass    string            `json:"speedClass"`
	Tags          map[string]string `json:"tags"`
	SessionStatus SessionStatus     `json:"sessionStatus"`
}

// SessionEvent is one change of a SIM's session.
type SessionEvent struct {
	Event       string `json:"event"` // Created, Modified or Deleted
	Time        int64  `json:"time"`
	SIMID       string `json:"simId"`
	IMSI        string `json:"imsi,omitempty"`
	IMEI        string `json:"imei,omitempty"`
	UEIPAddress string `json:"ueIpAddress,omitempty"`
	OperatorID  string `json:"operatorId"`
}

// TokenResponse is the answer of POST /v1/operators/{operator_id}/token.
type TokenResponse struct {
	Token string `json:"token"`
}

// ExtendRequest is the body of POST /v1/port_mappings/{ip_address}/{port}/extend.
type ExtendRequest struct {
	Duration int `json:"duration"` // seconds from now, 1 to 28800
}

// Connection is one live connection.
type Connection struct {
	ConnectionID string    `json:"connectionId"`
	SIMID        string    `json:"simId"`
	IMSI         string    `json:"imsi"`
	TLS          bool      `json:"tls"`
	CreatedAt    int64     `json:"createdAt"`
	State        string    `json:"state"` // connecting, then connected
	Direction    Direction `json:"direction"`
	DevicePort   int       `json:"devicePort"`
	BytesUp      int64     `json:"bytesUp"` // client to device
	BytesDown    int64     `json:"bytesDown"`
}

// DiagnoseRequest is the body of POST /v1/port_mappings/{ip_address}/{port}/diagnose; it may be left out.
type DiagnoseRequest struct {
	SourceIPAddress string `json:"sourceIpAddress,omitempty"` // of the client; "": the caller
}

// Diagnosis names the first thing that is wrong on a client's way to the device.
type Diagnosis struct {
	OK         bool            `json:"ok"`
	FailedStep string          `json:"failedStep,omitempty"`
	Code       string          `json:"code,omitempty"` // R01...
	Message    string          `json:"message,omitempty"`
	CheckedAt  int64           `json:"checkedAt"`
	Steps      []DiagnosisStep `json:"steps"` // policy, port, session, device, banner, tls
}

// DiagnosisStep is one step: what was found.
type DiagnosisStep struct {
	Step    string `json:"step"`
	Result  string `json:"result"` // ok, failed or skipped
	Finding string `json:"finding,omitempty"`
	TookMs  int64  `json:"tookMs"`
}

// CreateKeyRequest is the body of POST /v1/keys.
type CreateKeyRequest struct {
	Name   string            `json:"name,omitempty"`
	Role   string            `json:"role"`             // viewer, operator or admin
	SIMIDs []string          `json:"simIds,omitempty"` // that it sees
	Tags   map[string]string `json:"tags,omitempty"`   // and SIMs with one of these; with neither it sees all
}

// Key is an authentication key. AuthKey is its secret, in the answer of its creation only.
type Key struct {
	AuthKeyID   string            `json:"authKeyId"`
	AuthKey     string            `json:"authKey,omitempty"`
	Name        string            `json:"name"`
	Role        string            `json:"role"`
	SIMIDs      []string          `json:"simIds,omitempty"`
	Tags        map[string]string `json:"tags,omitempty"`
	CreatedTime int64             `json:"createdTime"`
}

// CreateUserRequest is the body of POST /v1/users.
type CreateUserRequest struct {
	UserName string            `json:"userName"`
	Password string            `json:"password"`         // 8 to 128 bytes
	Role     string            `json:"role"`             // viewer, operator or admin
	SIMIDs   []string          `json:"simIds,omitempty"` // that they see
	Tags     map[string]string `json:"tags,omitempty"`   // and SIMs with one of these; with neither they see all
}

// UpdateUserRequest is the body of PUT /v1/users/{user_name}: all that may change but the password.
type UpdateUserRequest struct {
	Role   string            `json:"role"`
	SIMIDs []string          `json:"simIds,omitempty"`
	Tags   map[string]string `json:"tags,omitempty"`
}

// SetPasswordRequest is the body of POST /v1/users/{user_name}/password.
type SetPasswordRequest struct {
	CurrentPassword string `json:"currentPassword,omitempty"` // when users change their own
	NewPassword     string `json:"newPassword"`
}

// User is somebody who signs in with a password.
type User struct {
	UserName    string            `json:"userName"`
	Role        string            `json:"role"`
	SIMIDs      []string          `json:"simIds,omitempty"`
	Tags        map[string]string `json:"tags,omitempty"`
	CreatedTime int64             `json:"createdTime"`
}

// Me is the answer of GET /v1/me: whose credentials were sent, and what they may do and see.
type Me struct {
	OperatorID string            `json:"operatorId"`
	UserName   string            `json:"userName,omitempty"`  // of a user
	AuthKeyID  string            `json:"authKeyId,omitempty"` // of a key
	Role       string            `json:"role"`
	SIMIDs     []string          `json:"simIds,omitempty"` // with Tags: either will do; with neither all SIMs
	Tags       map[string]string `json:"tags,omitempty"`
	Name       string            `json:"name"`    // the user's or the key's
	Address    string            `json:"address"` // that the call came from, which a mapping without ranges is for
	Expires    int64             `json:"expires"` // end of the token
}

// ConnectionStats is the answer of GET /v1/stats/connections.
type ConnectionStats struct {
	From     int64         `json:"from"`
	To       int64         `json:"to"`
	StepMs   int64         `json:"stepMs"`
	Complete bool          `json:"complete"` // false: the log of that time is too long, and the oldest part was left out
	Buckets  []StatsBucket `json:"buckets"`  // the oldest first, each StepMs long
	Refusals []CodeCount   `json:"refusals"` // of the whole time, the most frequent first
}

// StatsBucket counts what happened in one part of the time.
type StatsBucket struct {
	Time        int64 `json:"time"` // its beginning
	Connections int64 `json:"connections"`
	Refusals    int64 `json:"refusals"`
	BytesUp     int64 `json:"bytesUp"` // of the connections that ended in it; those that live count in the last
	BytesDown   int64 `json:"bytesDown"`
}

// CodeCount is how often a cause was met.
type CodeCount struct {
	Code   string `json:"code"`
	Reason string `json:"reason"`
	Count  int64  `json:"count"`
}

// Version is the answer of GET /v1/version.
type Version struct {
	Version  string `json:"version"`
	Revision string `json:"revision,omitempty"`
	Time     string `json:"time,omitempty"` // of the revision, RFC 3339
	Go       string `json:"go,omitempty"`
	API      string `json:"api"`
}

// Error is an error answer: the flat body that Napter's clients print, with the HTTP status it came with.
type Error struct {
	Status  int    `json:"-"`
	Code    string `json:"code"`
	Message string `json:"message"`
}

func (e *Error) Error() string { return e.Message + " (" + e.Code + ")" }

// Health is the answer of GET /v1/health.
type Health struct {
	Status   string          `json:"status"`             // "ok" or "degraded"
	Problems []HealthProblem `json:"problems,omitempty"` // when degraded
}

// HealthProblem is what a relay cannot do at the moment; all else works.
type HealthProblem struct {
	Part    string `json:"part"` // ports, certificate, store, audit, network or devices
	Message string `json:"message"`
}
