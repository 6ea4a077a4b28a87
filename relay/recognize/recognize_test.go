package recognize

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func golden(t testing.TB, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestFromClient(t *testing.T) {
	tests := []struct {
		name string
		b    string
		want Protocol
		more bool
	}{
		{"nothing", "", Unknown, true},
		{"curl https", golden(t, "curl.bin"), TLS, false},
		{"chromium", golden(t, "chromium.bin"), TLS, false},
		{"tls record header", "\x16\x03\x01\x02\x00", TLS, false},
		{"tls, cut short", "\x16\x03\x01", Unknown, true},
		{"tls record of nothing", "\x16\x03\x01\x00\x00\x01\x00\x00", Unknown, false},
		{"ssh", golden(t, "ssh.bin"), SSH, false},
		{"ssh, cut short", "SS", Unknown, true},
		{"http", golden(t, "curl-http.bin"), HTTP, false},
		{"http/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", HTTP, false},
		{"http options", "OPTIONS * HTTP/1.1\r\n", HTTP, false},
		{"http options, cut short", "OPTIONS ", Unknown, true},
		{"http lower case", "get / HTTP/1.1\r\n", Unknown, false},
		{"rtsp", "OPTIONS rtsp://10.128.0.2/stream RTSP/1.0\r\n", RTSP, false},
		{"rdp with cookie and negotiation", "\x03\x00\x00\x2b\x26\xe0\x00\x00\x00\x00\x00Cookie: mstshash=user\r\n\x01\x00\x08\x00\x03\x00\x00\x00", RDP, false},
		{"rdp with negotiation", "\x03\x00\x00\x13\x0e\xe0\x00\x00\x00\x00\x00\x01\x00\x08\x00\x03\x00\x00\x00", RDP, false},
		{"rdp plain", "\x03\x00\x00\x0b\x06\xe0\x00\x00\x00\x00\x00", RDP, false},
		{"rdp, cut short", "\x03\x00\x00\x13", Unknown, true},
		{"siemens s7 over the same layers", "\x03\x00\x00\x16\x11\xe0\x00\x00\x00\x01\x00\xc0\x01\x0a\xc1\x02\x01\x00\xc2\x02\x01\x02", Unknown, false},
		{"modbus", golden(t, "mbpoll.bin"), Modbus, false},
		{"modbus, cut short", "\x00\x01\x00\x00\x00\x06", Unknown, true},
		{"modbus, length over 254", "\x00\x01\x00\x00\x00\xff\x01\x03", Unknown, false},
		{"modbus, protocol not 0", "\x00\x01\x00\x01\x00\x06\x01\x03", Unknown, false},
		{"zeros", strings.Repeat("\x00", 16), Unknown, false},
		{"rfb", "RFB 003.008\n", RFB, false},
		{"smtp", "EHLO me\r\n", SMTP, false},
		{"ftp", "USER anonymous\r\n", FTP, false},
		{"telnet", "\xff\xfd\x18\xff\xfd\x20", Telnet, false},
		{"telnet, binary", "\xff\xfd\x00\xff", Telnet, false},
		{"modbus, transaction 65533", "\xff\xfd\x00\x00\x00\x06\x01\x03", Modbus, false},
		{"mqtt 3.1.1", "\x10\x0c\x00\x04MQTT\x04\x02\x00\x3c\x00\x00", MQTT, false},
		{"mqtt, length of five bytes", "\x10\x80\x80\x80\x80\x80\x00\x04MQTT", Unknown, false},
		{"text", "hello\r\n", Unknown, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got, more := FromClient([]byte(tt.b)); got != tt.want || more != tt.more {
				t.Errorf("FromClient = %v, more %v; want %v, more %v", got, more, tt.want, tt.more)
			}
		})
	}
}

func TestFromServer(t *testing.T) {
	tests := []struct {
		name string
		b    string
		want Protocol
		more bool
	}{
		{"nothing", "", Unknown, true},
		{"server hello", "\x16\x03\x03\x00\x7a\x02", TLS, false},
		{"alert", "\x15\x03\x01\x00\x02\x02\x46", TLSAlert, false},
		{"ssh", "SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n", SSH, false},
		{"rdp confirm", "\x03\x00\x00\x13\x0e\xd0\x00\x00\x12\x34\x00\x02\x1f\x08\x00\x02\x00\x00\x00", RDP, false},
		{"http", "HTTP/1.1 200 OK\r\n", HTTP, false},
		{"rfb", "RFB 003.008\n", RFB, false},
		{"modbus exception", "\x00\x01\x00\x00\x00\x03\x01\x83\x02", Modbus, false},
		{"smtp", "220 mail.example ESMTP Postfix\r\n", SMTP, false},
		{"smtp, line cut short", "220 mail.example ESMTP", Unknown, true},
		{"ftp", "220 (vsFTPd 3.0.3)\r\n", FTP, false},
		{"ftp, several lines", "220-Welcome to FTP\r\n220 go\r\n", FTP, false},
		{"neither says", "220 ready\r\n", Unknown, false},
		{"greeting without end", "220 " + strings.Repeat("x", 600), Unknown, false},
		{"telnet", "\xff\xfb\x01", Telnet, false},
		{"mqtt connack", "\x20\x02\x00\x00", MQTT, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got, more := FromServer([]byte(tt.b)); got != tt.want || more != tt.more {
				t.Errorf("FromServer = %v, more %v; want %v, more %v", got, more, tt.want, tt.more)
			}
		})
	}
}

func TestWantsTLS(t *testing.T) {
	tests := []struct {
		name string
		b    string
		want bool
	}{
		{"alert", "\x15\x03\x03\x00\x02\x02\x0a", true},
		{"go", "HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n", true},
		{"nginx", "HTTP/1.1 400 Bad Request\r\nServer: nginx\r\n\r\n<center>The plain HTTP request was sent to HTTPS port</center>", true},
		{"apache", "HTTP/1.1 400 Bad Request\r\n\r\nReason: You're speaking plain HTTP to an SSL-enabled server port.<br />", true},
		{"another refusal", "HTTP/1.1 400 Bad Request\r\n\r\n", false},
		{"server hello", "\x16\x03\x03\x00\x7a\x02", false},
		{"nothing", "", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := WantsTLS([]byte(tt.b)); got != tt.want {
				t.Errorf("WantsTLS = %v, want %v", got, tt.want)
			}
		})
	}
}

func TestNames(t *testing.T) {
	seen := map[string]bool{}
	for p := Unknown; p < protocols; p++ {
		if p.String() == "" || p.Words() == "" || seen[p.String()] {
			t.Errorf("protocol %d is called %q and %q", int(p), p.String(), p.Words())
		}
		seen[p.String()] = true
	}
	if got := Protocol(-1).String(); got != "unknown" {
		t.Errorf("Protocol(-1) = %q", got)
	}
}

// fuzzMatchers holds what callers rely on: at most one protocol, and an answer that further bytes do not change.
func fuzzMatchers(f *testing.F, matchers []matcher) {
	files, err := filepath.Glob("testdata/*.bin")
	if err != nil || len(files) == 0 {
		f.Fatal("no golden files", err)
	}
	for _, file := range files {
		f.Add([]byte(golden(f, filepath.Base(file))))
	}
	f.Add([]byte("220 mail ESMTP\r\n"))
	f.Add([]byte("\x03\x00\x00\x13\x0e\xd0\x00\x00\x12\x34\x00\x02"))
	f.Add([]byte("\x10\x0c\x00\x04MQTT"))
	f.Fuzz(func(t *testing.T, b []byte) {
		var matched []Protocol
		for _, m := range matchers {
			if m.match(b) == yes {
				matched = append(matched, m.protocol)
			}
			settled := maybe
			for n := range min(len(b), maxGreeting) + 1 {
				v := m.match(b[:n])
				if settled != maybe && v != settled {
					t.Fatalf("%v: verdict %d on %q, %d with fewer bytes", m.protocol, v, b[:n], settled)
				}
				settled = v
			}
		}
		if len(matched) > 1 {
			t.Fatalf("%q is each of %v", b, matched)
		}
		WantsTLS(b)
	})
}

func FuzzFromClient(f *testing.F) { fuzzMatchers(f, clientMatchers) }
func FuzzFromServer(f *testing.F) { fuzzMatchers(f, serverMatchers) }
