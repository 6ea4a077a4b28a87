// Package recognize tells from the first bytes of a connection what the peer speaks. Its functions are pure, bounded and
// never panic: the bytes come from anyone on the internet.
package recognize

// Protocol is what a peer speaks.
type Protocol int

// The protocols that are told apart.
const (
	Unknown   Protocol = iota
	TLS                // RFC 8446 section 5.1: a handshake record
	TLSAlert           // RFC 8446 section 6: an alert record
	SSH                // RFC 4253 section 4.2
	RDP                // MS-RDPBCGR 2.2.1.1: an X.224 connection request or confirm in a TPKT (RFC 1006)
	HTTP               // RFC 9112 section 3 and 4, also the preface of HTTP/2
	RTSP               // RFC 2326
	Modbus             // Modbus Messaging on TCP/IP, section 3.1.3: the MBAP header
	RFB                // RFC 6143 section 7.1.1
	SMTP               // RFC 5321 section 4.2
	FTP                // RFC 959 section 4.2
	Telnet             // RFC 854: IAC
	MQTT               // MQTT 3.1.1 section 3.1
	protocols          // how many there are
)

// names holds the short word of each protocol, for logs and metrics, and the one for people.
var names = [protocols]struct{ short, words string }{
	Unknown:  {"unknown", "an unknown protocol"},
	TLS:      {"tls", "TLS"},
	TLSAlert: {"tls-alert", "a TLS alert"},
	SSH:      {"ssh", "SSH"},
	RDP:      {"rdp", "Remote Desktop (RDP)"},
	HTTP:     {"http", "plain HTTP"},
	RTSP:     {"rtsp", "plain RTSP"},
	Modbus:   {"modbus", "plain Modbus/TCP"},
	RFB:      {"rfb", "plain VNC (RFB)"},
	SMTP:     {"smtp", "plain SMTP"},
	FTP:      {"ftp", "plain FTP"},
	Telnet:   {"telnet", "Telnet"},
	MQTT:     {"mqtt", "plain MQTT"},
}

// String is a short word for logs and metrics, such as "ssh".
func (p Protocol) String() string { return p.known().short }

// Words names the protocol to people, such as "Remote Desktop (RDP)".
func (p Protocol) Words() string { return p.known().words }

func (p Protocol) known() struct{ short, words string } {
	if p < 0 || p >= protocols {
		p = Unknown
	}
	return names[p]
}

// verdict is what one matcher says of the bytes so far.
type verdict int

const (
	no    verdict = iota
	maybe         // too few bytes to tell
	yes
)

// matcher looks at the first bytes for one protocol.
type matcher struct {
	protocol Protocol
	match    func([]byte) verdict
}

// FromClient tells what a client speaks by its first bytes. more is true if it cannot be told yet and further bytes
// could tell.
func FromClient(b []byte) (p Protocol, more bool) { return first(clientMatchers, b) }

// FromServer tells what a server speaks by its first bytes: its banner, or its answer to a ClientHello or a request.
func FromServer(b []byte) (p Protocol, more bool) { return first(serverMatchers, b) }

// first asks each matcher. Their order does not matter: no bytes satisfy two (FuzzFromClient, FuzzFromServer).
func first(matchers []matcher, b []byte) (p Protocol, more bool) {
	for _, m := range matchers {
		switch m.match(b) {
		case yes:
			return m.protocol, false
		case maybe:
			more = true
		}
	}
	return Unknown, more
}
