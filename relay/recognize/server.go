package recognize

import "bytes"

// serverMatchers are the banners and first answers of servers.
var serverMatchers = []matcher{
	{TLS, record(recordHandshake)},
	{TLSAlert, record(recordAlert)},
	{SSH, prefix("SSH-")},
	{RDP, x224(x224ConnectionConfirm)},
	{HTTP, prefix("HTTP/1.")},
	{RTSP, prefix("RTSP/1.")},
	{Modbus, mbap},
	{RFB, prefix("RFB 003.")},
	{SMTP, greeting("SMTP")},
	{FTP, greeting("FTP")},
	{Telnet, telnet},
	{MQTT, prefix("\x20\x02\x00")}, // CONNACK, MQTT 3.1.1 section 3.2, no session
}

// maxGreeting bounds the line that is searched: RFC 5321 section 4.5.3.1.5 allows 512 bytes.
const maxGreeting = 512

// greeting matches a 220 reply whose first line names the protocol. SMTP and FTP open with the same code: only the
// words tell them apart, and a server that says neither stays unknown.
func greeting(name string) func([]byte) verdict {
	code := anyPrefix("220 ", "220-")
	return func(b []byte) verdict {
		if v := code(b); v != yes {
			return v
		}
		b = b[:min(len(b), maxGreeting)]
		line, _, whole := bytes.Cut(b, []byte("\n"))
		if !whole && len(b) < maxGreeting {
			return maybe // the line may yet name the other one first
		}
		line = bytes.ToUpper(line)
		smtp, ftp := bytes.Index(line, []byte("SMTP")), bytes.Index(line, []byte("FTP"))
		switch {
		case smtp >= 0 && (ftp < 0 || smtp < ftp):
			return only(name == "SMTP")
		case ftp >= 0:
			return only(name == "FTP")
		}
		return no
	}
}

func only(ok bool) verdict {
	if ok {
		return yes
	}
	return no
}

// httpsPortReplies are what web servers answer to plain HTTP on their TLS port: Go, nginx, Apache, lighttpd's and
// others' wording contains one of them.
var httpsPortReplies = [][]byte{
	[]byte("Client sent an HTTP request to an HTTPS server"),
	[]byte("The plain HTTP request was sent to HTTPS port"),
	[]byte("speaking plain HTTP to an SSL-enabled server port"),
}

// WantsTLS tells whether a server's first bytes show that it expected TLS and got plaintext: a TLS alert, or a web
// server's complaint about plain HTTP. Only the first 4096 bytes are searched.
func WantsTLS(b []byte) bool {
	if p, _ := FromServer(b); p == TLSAlert {
		return true
	} else if p != HTTP {
		return false
	}
	b = b[:min(len(b), 4096)]
	for _, reply := range httpsPortReplies {
		if bytes.Contains(b, reply) {
			return true
		}
	}
	return false
}
