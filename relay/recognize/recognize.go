// Package recognize tells from the first bytes of a connection what the peer speaks. Its functions are pure, bounded and
// never panic: the bytes come from anyone on the internet.
package recognize

// Protocol is what a peer speaks.
type Protocol int

// The protocols that are told apart.
const (
	Unknown Protocol = iota
	TLS
	TLSAlert
	SSH
	RDP
	HTTP
	Modbus
	RFB
	SMTP
	FTP
	Telnet
	MQTT
)

// String is a short word for logs and metrics, such as "ssh".
func (p Protocol) String() string { panic("recognize: not built yet") }

// Words is a short description for people, such as "SSH".
func (p Protocol) Words() string { panic("recognize: not built yet") }

// FromClient tells what a client speaks by its first bytes. more is true if further bytes could change the answer.
func FromClient(b []byte) (p Protocol, more bool) { panic("recognize: not built yet") }

// FromServer tells what a server speaks by its first bytes: a banner, or the answer to a ClientHello or an HTTP request.
func FromServer(b []byte) (p Protocol, more bool) { panic("recognize: not built yet") }

// State is how far a ClientHello has come.
type State int

// States of ParseClientHello.
const (
	NeedMore State = iota + 1 // what is there is the start of a ClientHello
	Complete                  // Hello is filled
	NotHello                  // can never become one; the error says why
)

// MaxHello is the longest run of bytes that is searched for a whole ClientHello.
const MaxHello = 64 << 10

// Hello is what a ClientHello (RFC 8446 section 4.1.2) offers.
type Hello struct {
	LegacyVersion     uint16   // 0x0303 in TLS 1.2 and 1.3
	SupportedVersions []uint16 // extension 43, GREASE left out; nil if there is none
	ServerName        string   // SNI, extension 0
	ALPN              []string // extension 16
	CipherSuites      []uint16 // GREASE left out
}

// MaxVersion is the highest version offered.
func (h Hello) MaxVersion() uint16 { panic("recognize: not built yet") }

// ClientHello parses the first bytes of a client. Strict: what no TLS client sends is NotHello at the first byte that shows it.
func ClientHello(b []byte) (Hello, State, error) { panic("recognize: not built yet") }
