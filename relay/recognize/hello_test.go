package recognize

import (
	"crypto/tls"
	"encoding/binary"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestClientHello(t *testing.T) {
	tls13 := []uint16{tls.VersionTLS13, tls.VersionTLS12}
	all := append(tls13, tls.VersionTLS11, tls.VersionTLS10)
	tests := []struct {
		file   string
		want   Hello // without CipherSuites
		suites int
		max    uint16
	}{
		{"curl.bin", Hello{LegacyVersion: 0x0303, SupportedVersions: all, ServerName: "device.example", ALPN: []string{"h2", "http/1.1"}}, 31, tls.VersionTLS13},
		{"openssl.bin", Hello{LegacyVersion: 0x0303, SupportedVersions: all, ServerName: "device.example"}, 31, tls.VersionTLS13},
		{"openssl-tls12.bin", Hello{LegacyVersion: 0x0303}, 28, tls.VersionTLS12},
		{"openssl-tls10.bin", Hello{LegacyVersion: 0x0301}, 23, tls.VersionTLS10},
		{"firefox-like.bin", Hello{LegacyVersion: 0x0303, SupportedVersions: all, ServerName: "device.example", ALPN: []string{"h2", "http/1.1"}}, 18, tls.VersionTLS13},
		{"chromium.bin", Hello{LegacyVersion: 0x0303, SupportedVersions: tls13, ServerName: "device.example", ALPN: []string{"h2", "http/1.1"}}, 15, tls.VersionTLS13},
		{"go.bin", Hello{LegacyVersion: 0x0303, SupportedVersions: tls13, ServerName: "device.example", ALPN: []string{"http/1.1"}}, 13, tls.VersionTLS13},
	}
	for _, tt := range tests {
		t.Run(tt.file, func(t *testing.T) {
			b := []byte(golden(t, tt.file))
			got, state, err := ClientHello(b)
			if state != Complete || err != nil {
				t.Fatalf("state %v, error %v", state, err)
			}
			if got.MaxVersion() != tt.max {
				t.Errorf("MaxVersion = %#04x, want %#04x", got.MaxVersion(), tt.max)
			}
			if len(got.CipherSuites) != tt.suites {
				t.Errorf("%d cipher suites, want %d", len(got.CipherSuites), tt.suites)
			}
			got.CipherSuites = nil
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("Hello (-want +got):\n%s", diff)
			}
			for n := range len(b) {
				if _, state, err := ClientHello(b[:n]); state != NeedMore || err != nil {
					t.Fatalf("first %d bytes: state %v, error %v; want NeedMore", n, state, err)
				}
			}
			if _, state, err := ClientHello(append(b, "early data"...)); state != Complete {
				t.Errorf("with bytes after it: state %v, error %v", state, err)
			}
		})
	}
}

// refragment puts the first handshake message into records of size bytes.
func refragment(b []byte, size int) []byte {
	var msg, out []byte
	for len(b) > recordHeader {
		n := int(binary.BigEndian.Uint16(b[3:]))
		msg = append(msg, b[recordHeader:recordHeader+n]...)
		b = b[recordHeader+n:]
	}
	for len(msg) > 0 {
		n := min(size, len(msg))
		out = append(out, recordHandshake, 3, 1, byte(n>>8), byte(n))
		out = append(out, msg[:n]...)
		msg = msg[n:]
	}
	return out
}

func TestClientHelloFragments(t *testing.T) {
	b := []byte(golden(t, "openssl-fragments.bin"))
	if n := int(binary.BigEndian.Uint16(b[3:])); n != 512 {
		t.Fatalf("first record of %d bytes: the file should hold several", n)
	}
	want, state, err := ClientHello(b)
	if state != Complete || want.ServerName != "device.example" || len(want.ALPN) != 60 {
		t.Fatalf("state %v, error %v, hello %+v", state, err, want)
	}
	for _, size := range []int{1, 2, 3, 4, 5, 100, 16384} {
		got, state, err := ClientHello(refragment(b, size))
		if state != Complete || err != nil {
			t.Errorf("records of %d: state %v, error %v", size, state, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("records of %d (-want +got):\n%s", size, diff)
		}
	}
}

func TestClientHelloBad(t *testing.T) {
	good := golden(t, "openssl.bin")
	patch := func(at int, with string) string { return good[:at] + with + good[at+len(with):] }
	huge := "\x16\x03\x01\x40\x00\x01\x01\x00\x00\x03\x03" + strings.Repeat("x", maxFragment-6)
	tests := []struct {
		name, b, want string
	}{
		{"ssh", "SSH-2.0-x", "record type 0x53, want 0x16 (handshake)"},
		{"alert", "\x15", "record type 0x15, want 0x16 (handshake)"},
		{"version", "\x16\x02", "record version 02, want 03 01 to 03 04"},
		{"minor version", "\x16\x03\x09", "record version 03 09, want 03 01 to 03 04"},
		{"empty record", "\x16\x03\x01\x00\x00", "record of 0 bytes, want 1 to 16384"},
		{"long record", "\x16\x03\x01\x40\x01", "record of 16385 bytes, want 1 to 16384"},
		{"server hello", patch(5, "\x02"), "handshake message 2, want 1 (ClientHello)"},
		{"too long", patch(6, "\x01\x00\x01"), "ClientHello longer than 64 KiB"},
		{"too long with headers", strings.Repeat(huge, 5), "ClientHello longer than 64 KiB"},
		{"hello version", patch(9, "\x02"), "ClientHello version 2.x, want 3.x"},
		{"second record is no handshake", good[:3] + "\x00\x01\x01\x17", "record type 0x17, want 0x16 (handshake)"},
		{"empty", "\x16\x03\x01\x00\x04\x01\x00\x00\x00", "parsing ClientHello: legacy_version is not 3.x"},
		{"session id", patch(43, "\x21"), "parsing ClientHello: legacy_session_id is cut short or over 32 bytes"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, state, err := ClientHello([]byte(tt.b))
			if state != NotHello || err == nil || err.Error() != tt.want {
				t.Errorf("state %v, error %v; want NotHello, %q", state, err, tt.want)
			}
		})
	}
}

func TestExtensions(t *testing.T) {
	tests := []struct {
		name string
		typ  uint16
		data string
		want string // error, or "" for none
	}{
		{"sni", extServerName, "\x00\x04\x00\x00\x01a", ""},
		{"sni of another type", extServerName, "\x00\x04\x07\x00\x01a", ""},
		{"sni empty", extServerName, "\x00\x03\x00\x00\x00", "server_name is cut short or empty"},
		{"sni with control bytes", extServerName, "\x00\x05\x00\x00\x02a\x1b", `host name "a\x1b" has bytes outside printable ASCII`},
		{"sni too long", extServerName, "\x01\x03\x00\x01\x00" + strings.Repeat("a", 256), ""},
		{"sni twice", extServerName, "\x00\x08\x00\x00\x01a\x00\x00\x01b", "two host names"},
		{"sni trailing", extServerName, "\x00\x04\x00\x00\x01ab", "server_name list is cut short or empty"},
		{"alpn", extALPN, "\x00\x03\x02h2", ""},
		{"alpn empty list", extALPN, "\x00\x00", "ALPN list is cut short or empty"},
		{"alpn empty name", extALPN, "\x00\x01\x00", "ALPN protocol is cut short or empty"},
		{"versions", extSupportedVersions, "\x02\x03\x04", ""},
		{"versions odd", extSupportedVersions, "\x03\x03\x04\x03", "supported_versions is cut short, empty or odd"},
		{"another", 0xff01, "\x00", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var h Hello
			got := ""
			defer func() {
				if len(h.ServerName) > 255 {
					t.Errorf("a host name of %d bytes is kept", len(h.ServerName))
				}
			}()
			if err := h.extension(tt.typ, []byte(tt.data)); err != nil {
				got = err.Error()
			}
			if got != tt.want {
				t.Errorf("error %q, want %q", got, tt.want)
			}
		})
	}
}

// FuzzClientHello: no panic, an error exactly with NotHello, and no verdict that more bytes take back.
func FuzzClientHello(f *testing.F) {
	files, err := filepath.Glob("testdata/*.bin")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		b := golden(f, filepath.Base(file))
		f.Add([]byte(b), len(b)/2)
	}
	f.Add(refragment([]byte(golden(f, "openssl.bin")), 7), 20)
	f.Fuzz(func(t *testing.T, b []byte, n int) {
		h, state, err := ClientHello(b)
		if (err != nil) != (state == NotHello) {
			t.Fatalf("state %v with error %v", state, err)
		}
		if state != Complete && !cmp.Equal(h, Hello{}) {
			t.Fatalf("state %v with %+v", state, h)
		}
		if n < 0 || n > len(b) {
			return
		}
		if _, before, _ := ClientHello(b[:n]); before != NeedMore && before != state {
			t.Fatalf("state %v after %d bytes, %v after %d", before, n, state, len(b))
		}
		if p, more := FromClient(b); state == Complete && p != TLS || state == NeedMore && p != TLS && !more {
			t.Fatalf("state %v of what FromClient calls %v", state, p)
		}
	})
}
