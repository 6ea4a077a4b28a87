package rfb

import (
	"encoding/binary"
	"strings"
	"testing"
)

// TestHandshakes walks each version to the byte, as sections 7.1 to 7.3 and appendix A tell them apart.
func TestHandshakes(t *testing.T) {
	tests := []struct {
		name, version, password string
		security                string // what the server sends first
		choose                  bool
		wrong                   bool
		result                  string // after security
	}{
		{"3.3 none", "RFB 003.003\n", "", "\x00\x00\x00\x01", false, false, ""},
		{"3.7 none", "RFB 003.007\n", "", "\x01\x01", true, false, ""},
		{"3.8 none", "RFB 003.008\n", "", "\x01\x01", true, false, "\x00\x00\x00\x00"},
		{"3.5 counts as 3.3", "RFB 003.005\n", "", "\x00\x00\x00\x01", false, false, ""},
		{"3.889 counts as 3.3", "RFB 003.889\n", "", "\x00\x00\x00\x01", false, false, ""},
		{"3.3 password", "RFB 003.003\n", "sesame", "\x00\x00\x00\x02", false, false, "\x00\x00\x00\x00"},
		{"3.7 password", "RFB 003.007\n", "sesame", "\x01\x02", true, false, "\x00\x00\x00\x00"},
		{"3.8 password", "RFB 003.008\n", "sesame", "\x01\x02", true, false, "\x00\x00\x00\x00"},
		{"3.3 wrong password", "RFB 003.003\n", "sesame", "\x00\x00\x00\x02", false, true, "\x00\x00\x00\x01"},
		{"3.7 wrong password", "RFB 003.007\n", "sesame", "\x01\x02", true, true, "\x00\x00\x00\x01"},
		{"3.8 wrong password", "RFB 003.008\n", "sesame", "\x01\x02", true, true, "\x00\x00\x00\x01\x00\x00\x00\x25authentication failed: wrong password"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := dial(t, serve(t, Config{Name: "plant", Password: tt.password}))
			w.expect("RFB 003.008\n")
			w.send([]byte(tt.version)...)
			w.expect(tt.security)
			if tt.choose {
				w.send(tt.security[1])
			}
			if tt.password != "" {
				challenge := [16]byte(w.recv(16))
				answer, err := vncResponse(tt.password, challenge)
				if err != nil {
					t.Fatal(err)
				}
				if tt.wrong {
					answer[15] ^= 1
				}
				w.send(answer[:]...)
			}
			w.expect(tt.result)
			if tt.wrong {
				w.expectEnd()
				return
			}
			w.send(1)
			w.expect("\x00\x40\x00\x30" + "\x20\x18\x00\x01\x00\xff\x00\xff\x00\xff\x10\x08\x00\x00\x00\x00" + "\x00\x00\x00\x05plant")
		})
	}
}

func TestHandshakeRefusals(t *testing.T) {
	tests := []struct {
		name, send string
		reason     string
	}{
		{"HTTP", "GET / HTTP/1.", ""},
		{"not digits", "RFB 00x.008\n", ""},
		{"no newline", "RFB 003.008 ", ""},
		{"security type not offered", "RFB 003.008\n\x10", "security type 16 was not offered"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := dial(t, serve(t, Config{}))
			w.expect("RFB 003.008\n")
			w.send([]byte(tt.send)...)
			if tt.reason != "" {
				w.expect("\x01\x01\x00\x00\x00\x01" + string(binary.BigEndian.AppendUint32(nil, uint32(len(tt.reason)))) + tt.reason)
			}
			w.expectEnd()
		})
	}
}

func TestConfigRefusals(t *testing.T) {
	f := NewFramebuffer(1, 1)
	if _, err := NewServer(Config{Framebuffer: f, Password: "123456789"}); err == nil || !strings.Contains(err.Error(), "9 bytes") {
		t.Errorf("a password of 9 bytes: %v", err)
	}
	if _, err := NewServer(Config{Framebuffer: f, Name: strings.Repeat("x", 256)}); err == nil {
		t.Error("a name of 256 bytes was taken")
	}
}
