package relay

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"math/rand"
	"net"
	"testing"

	"minato/relay/relayapi"
)

// half is a connection whose sending direction ends alone.
type half interface {
	net.Conn
	CloseWrite() error
}

// A client sends, ends its half, and still gets all of the answer: both ways, with the TLS option and without.
func TestHalfClose(t *testing.T) {
	request, answer := make([]byte, 300<<10), make([]byte, 3<<20)
	rnd := rand.New(rand.NewSource(1))
	rnd.Read(request)
	rnd.Read(answer)
	heard := make(chan []byte, 1)
	r := startRelay(t, Config{Network: device(t, func(c *net.TCPConn) {
		b, err := io.ReadAll(c)
		if err != nil {
			t.Errorf("the device reads: %v", err)
		}
		heard <- b
		c.Write(answer)
		c.CloseWrite()
	})})
	for _, tlsOn := range []bool{false, true} {
		t.Run(fmt.Sprintf("tls=%v", tlsOn), func(t *testing.T) {
			m := r.mapping(tlsOn)
			var conn half = r.dial(m)
			local := conn
			if tlsOn {
				conn = r.dialTLS(m)
				local = conn
			}
			if _, err := conn.Write(request); err != nil {
				t.Fatal(err)
			}
			if err := conn.CloseWrite(); err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(<-heard, request) {
				t.Error("the device heard other bytes than were sent")
			}
			got, err := io.ReadAll(conn)
			if err != nil || !bytes.Equal(got, answer) {
				t.Errorf("the client got %d bytes of %d, %v", len(got), len(answer), err)
			}
			conn.Close()
			e := r.awaitAuditOf(local)
			if e.Type != relayapi.AuditClosed || e.Code != "" || e.BytesUp != int64(len(request)) || e.BytesDown != int64(len(answer)) {
				t.Errorf("audit entry %+v; want CLOSED with the bytes", e)
			}
		})
	}
}

// The device ends its half first; the client may still send.
func TestHalfCloseByDevice(t *testing.T) {
	const banner, later = "bye", "said after the device's end"
	heard := make(chan string, 1)
	r := startRelay(t, Config{Network: device(t, func(c *net.TCPConn) {
		io.WriteString(c, banner)
		c.CloseWrite()
		b, _ := io.ReadAll(c)
		heard <- string(b)
	})})
	for _, tlsOn := range []bool{false, true} {
		t.Run(fmt.Sprintf("tls=%v", tlsOn), func(t *testing.T) {
			m := r.mapping(tlsOn)
			var conn half = r.dial(m)
			if tlsOn {
				conn = r.dialTLS(m)
			}
			if got, err := io.ReadAll(conn); err != nil || string(got) != banner {
				t.Errorf("the client got %q, %v", got, err)
			}
			io.WriteString(conn, later)
			conn.CloseWrite()
			if got := <-heard; got != later {
				t.Errorf("the device heard %q", got)
			}
		})
	}
}

func TestTLSOption(t *testing.T) {
	r := startRelay(t, Config{})
	m := r.mapping(true)
	roots := r.roots()
	for _, tt := range []struct {
		name   string
		client *tls.Config
		want   string
	}{
		{"by host name", &tls.Config{ServerName: m.Hostname}, "TLS 1.3"},
		{"by address", &tls.Config{ServerName: "127.0.0.1"}, "TLS 1.3"},
		{"localhost", &tls.Config{ServerName: "localhost"}, "TLS 1.3"},
		{"TLS 1.2", &tls.Config{ServerName: m.Hostname, MaxVersion: tls.VersionTLS12}, "TLS 1.2"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.client.RootCAs = roots
			tt.client.ClientSessionCache = tls.NewLRUClientSessionCache(1)
			for i := range 2 {
				tcp := r.dial(m)
				conn := tls.Client(tcp, tt.client)
				io.WriteString(conn, "hello")
				got := make([]byte, 5)
				if _, err := io.ReadFull(conn, got); err != nil || string(got) != "hello" {
					t.Fatalf("echo gave %q, %v", got, err)
				}
				state := conn.ConnectionState()
				if state.DidResume != (i == 1) {
					t.Errorf("connection %d: resumed %v", i, state.DidResume)
				}
				if tt.want == "TLS 1.3" && state.CurveID != tls.X25519MLKEM768 {
					t.Errorf("key agreement %v, want X25519MLKEM768", state.CurveID)
				}
				conn.Close()
				e := r.awaitAuditOf(tcp)
				wantSNI := tt.client.ServerName
				if net.ParseIP(wantSNI) != nil {
					wantSNI = ""
				}
				if e.TLSVersion != tt.want || e.SNI != wantSNI || e.Protocol != "tls" {
					t.Errorf("audit entry %+v; want %s to %q", e, tt.want, wantSNI)
				}
			}
		})
	}
}

func TestTLSRefusals(t *testing.T) {
	r := startRelay(t, Config{})
	m := r.mapping(true)
	for _, tt := range []struct {
		name   string
		client *tls.Config
		code   string
	}{
		{"unknown CA", &tls.Config{ServerName: m.Hostname}, "R14"},
		{"wrong name", &tls.Config{ServerName: "elsewhere.example", RootCAs: r.roots()}, "R14"},
		{"unknown CA, TLS 1.2", &tls.Config{ServerName: m.Hostname, MaxVersion: tls.VersionTLS12}, "R14"},
		{"TLS 1.1", &tls.Config{ServerName: m.Hostname, RootCAs: r.roots(), MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}, "R15"},
		{"no common suite", &tls.Config{ServerName: m.Hostname, RootCAs: r.roots(), MaxVersion: tls.VersionTLS12,
			CipherSuites: []uint16{tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256}}, "R15"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tcp := r.dial(m)
			conn := tls.Client(tcp, tt.client)
			if err := conn.Handshake(); err == nil {
				t.Error("the handshake was good")
			}
			conn.Close()
			if e := r.awaitAuditOf(tcp); e.Type != relayapi.AuditDenied || e.Code != tt.code {
				t.Errorf("audit entry %+v; want DENIED %s", e, tt.code)
			}
		})
	}
}

// OpenSSL 3 rejects a certificate with an alert in plaintext also in TLS 1.3.
func TestPlaintextAlert(t *testing.T) {
	r := startRelay(t, Config{})
	m := r.mapping(true)
	for code, want := range map[byte]string{42: "R14", 46: "R14", 48: "R14", 40: "R15", 70: "R15", 80: ""} {
		tcp := r.dial(m)
		conn := tls.Client(&rejecter{TCPConn: tcp, alert: []byte{21, 3, 3, 0, 2, 2, code}}, &tls.Config{ServerName: m.Hostname})
		if err := conn.Handshake(); err == nil {
			t.Error("the handshake was good")
		}
		tcp.Close()
		if e := r.awaitAuditOf(tcp); e.Type != relayapi.AuditDenied || e.Code != want {
			t.Errorf("alert %d: audit entry %+v; want DENIED %s", code, e, want)
		}
	}
}

// rejecter answers the server's first bytes with an alert and reads no more.
type rejecter struct {
	*net.TCPConn
	alert []byte
}

func (c *rejecter) Read(p []byte) (int, error) {
	if _, err := c.TCPConn.Read(p); err != nil {
		return 0, err
	}
	c.TCPConn.Write(c.alert)
	c.TCPConn.CloseWrite()
	return 0, io.EOF
}

// A ClientHello that comes in pieces is waited for.
func TestHelloInPieces(t *testing.T) {
	r := startRelay(t, Config{})
	m := r.mapping(true)
	conn := tls.Client(byteWriter{r.dial(m)}, &tls.Config{ServerName: m.Hostname, RootCAs: r.roots()})
	io.WriteString(conn, "x")
	if _, err := io.ReadFull(conn, make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
}

// byteWriter sends each byte in a segment of its own.
type byteWriter struct{ *net.TCPConn }

func (w byteWriter) Write(p []byte) (int, error) {
	for i := range p {
		if _, err := w.TCPConn.Write(p[i : i+1]); err != nil {
			return i, err
		}
	}
	return len(p), nil
}

// A device that is not reached: ACCESS, no CONNECTED, CLOSED with the cause, and an orderly end for the client.
func TestDeviceNotReached(t *testing.T) {
	for _, tt := range []struct {
		name string
		err  error
		code string
	}{
		{"refused", ErrRefused, "R09"},
		{"timeout", ErrTimeout, "R10"},
		{"offline", ErrOffline, "R11"},
		{"unknown", ErrUnknownSIM, "R11"},
		{"the network is down", io.ErrUnexpectedEOF, "R37"},
		{"the directory does not answer, which took long", errors.Join(ErrTimeout, ErrDirectory), "R37"},
		{"the network is down, which took long", errors.Join(ErrTimeout, ErrNetwork), "R37"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := startRelay(t, Config{Network: networkFunc(func(context.Context, string, uint16) (net.Conn, error) {
				return nil, fmt.Errorf("dialling: %w", tt.err)
			})})
			for _, tlsOn := range []bool{false, true} {
				m := r.mapping(tlsOn)
				var conn net.Conn = r.dial(m)
				if tlsOn {
					conn = r.dialTLS(m)
				}
				io.WriteString(conn, "hello")
				expectEOF(t, conn)
				conn.Close()
				if e := r.awaitAuditOf(conn); e.Type != relayapi.AuditClosed || e.Code != tt.code {
					t.Errorf("audit entry %+v; want CLOSED %s", e, tt.code)
				}
			}
		})
	}
}

func TestDeviceHangsUp(t *testing.T) {
	r := startRelay(t, Config{Network: device(t, func(*net.TCPConn) {})})
	conn := r.dial(r.mapping(false))
	expectEOF(t, conn)
	conn.Close()
	if e := r.awaitAuditOf(conn); e.Code != "R17" {
		t.Errorf("audit entry %+v; want R17", e)
	}
}

// Every connection's entries have one id, in order.
func TestAuditOfAConnection(t *testing.T) {
	r := startRelay(t, Config{})
	conn := r.opened(r.mapping(true))
	conn.Close()
	end := r.awaitAuditOf(conn)
	entries, _, err := r.AuditLogs(t.Context(), relayapi.AuditQuery{IMSI: imsiA})
	if err != nil {
		t.Fatal(err)
	}
	var types []string
	for _, e := range entries {
		if e.ConnectionID == end.ConnectionID {
			types = append(types, e.Type)
		}
	}
	if got, want := fmt.Sprint(types), "[CLOSED CONNECTED ACCESS]"; got != want {
		t.Errorf("entries, newest first: %s, want %s", got, want)
	}
	if entries, _, err := r.AuditLogs(t.Context(), relayapi.AuditQuery{IMSI: imsiB}); err != nil || len(entries) != 0 {
		t.Errorf("entries of another SIM: %v, %v", entries, err)
	}
}
