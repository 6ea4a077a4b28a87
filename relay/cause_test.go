package relay

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"minato/relay/relayapi"
)

// logOf is the newest entry of our own audit log with a code, of one port or of any (0).
func (r *testRelay) logOf(code string, port int) relayapi.ConnectionLogEntry {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), patience)
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		entries, _, err := r.ConnectionLogs(ctx, relayapi.AuditQuery{Code: code})
		if err != nil {
			r.t.Fatal(err)
		}
		for _, e := range entries {
			if port == 0 || e.Direction.DestinationPort == int64(port) {
				return e
			}
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			r.t.Fatalf("no %s in the audit log", code)
		}
	}
}

// expectCause checks the newest entry of a cause.
func (r *testRelay) expectCause(code, typ string) relayapi.ConnectionLogEntry {
	r.t.Helper()
	return r.expectCauseOn(code, typ, 0)
}

// expectCauseOn checks the entry of a cause on one port: its type, the advice in both languages, and that its ladder tells of a beginning and an end.
func (r *testRelay) expectCauseOn(code, typ string, port int) relayapi.ConnectionLogEntry {
	r.t.Helper()
	e := r.logOf(code, port)
	if e.Type != typ || e.Reason != Cause(code).Text("en") || e.ConnectionID == "" {
		r.t.Errorf("audit entry %+v; want %s %s", e, typ, code)
	}
	if n := len(e.Ladder); n < 2 || e.Ladder[0].What != "connection" || e.Ladder[n-1].From != "relay" {
		r.t.Errorf("ladder %+v", e.Ladder)
	}
	_, ja, _ := r.request("GET", "/v1/audit_logs/napter?code="+code, "", map[string]string{"X-Soracom-Lang": "ja"})
	if !strings.Contains(ja, Cause(code).Text("ja")) {
		r.t.Errorf("no Japanese advice of %s in %s", code, ja)
	}
	return e
}

func speaks(banner string) func(*net.TCPConn) {
	return func(c *net.TCPConn) {
		io.WriteString(c, banner)
		io.Copy(io.Discard, c)
	}
}

// R07: the device's plaintext answer passes as it is, and the log says what is wrong.
func TestTLSOnPlaintext(t *testing.T) {
	const answer = "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n"
	r := startRelay(t, Config{Network: device(t, func(c *net.TCPConn) {
		c.Read(make([]byte, 100))
		io.WriteString(c, answer)
		c.CloseWrite()
		io.Copy(io.Discard, c)
	})})
	conn := r.dial(r.mapping(false))
	if err := tls.Client(conn, &tls.Config{InsecureSkipVerify: true}).Handshake(); err == nil {
		t.Error("a handshake with a device that speaks plaintext was good")
	}
	conn.Close()
	if e := r.expectCause("R07", "CLOSED"); e.Protocol != "tls" || e.DeviceProtocol != "http" {
		t.Errorf("audit entry %+v", e)
	}
}

// A device that hangs up on a ClientHello without a byte: R07 where its service waits for clients that speak as it does, R17 where it hangs up
// on all.
func TestTLSClientIsHungUpOn(t *testing.T) {
	modbus := func(c *net.TCPConn) { // drops what has no protocol identifier 0 (Modbus Messaging on TCP/IP, section 3.1.3)
		mbap := make([]byte, 7)
		if _, err := io.ReadFull(c, mbap); err == nil && mbap[2]|mbap[3] == 0 {
			t.Error("a ClientHello is no Modbus")
		}
	}
	for _, tt := range []struct {
		name, code string
		device     func(*net.TCPConn)
	}{
		{"Modbus", "R07", modbus},
		{"a service that is out of order", "R17", func(*net.TCPConn) {}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			asked := make(chan struct{}, 10)
			r := startRelay(t, Config{Network: device(t, func(c *net.TCPConn) {
				asked <- struct{}{}
				tt.device(c)
			})})
			m := r.mapping(false)
			for range 2 {
				conn := r.dial(m)
				if err := tls.Client(conn, &tls.Config{InsecureSkipVerify: true}).Handshake(); err == nil {
					t.Error("a handshake with a device that speaks no TLS was good")
				}
				conn.Close()
				if e := r.awaitAuditOf(conn); e.Code != tt.code || e.Protocol != "tls" {
					t.Errorf("audit entry %+v, want %s", e, tt.code)
				}
			}
			r.expectCause(tt.code, "CLOSED")
			if n := len(asked); n != 3 {
				t.Errorf("the device was connected to %d times, want 2 clients and 1 question", n)
			}
		})
	}
}

// While a device is asked why it hung up on a ClientHello, the connection has ended: its entry says so, and the next client has its place.
func TestAskingIsNoPartOfConnection(t *testing.T) {
	clock := newFakeClock()
	var connections atomic.Int32
	asked, answer := make(chan struct{}), make(chan struct{})
	r := startRelay(t, Config{Clock: clock, MaxConnections: 1, MaxPerSource: 1, MaxPerSIM: 1, Network: device(t, func(c *net.TCPConn) {
		if connections.Add(1) == 2 { // after the first client's, before the second's
			close(asked)
			<-answer
			io.WriteString(c, "hello")
		}
		io.ReadFull(c, make([]byte, 7))
	})})
	m := r.mapping(false)
	connect := func() *net.TCPConn {
		conn := r.dial(m)
		if err := tls.Client(conn, &tls.Config{InsecureSkipVerify: true}).Handshake(); err == nil {
			t.Error("a handshake with a device that speaks no TLS was good")
		}
		conn.Close()
		return conn
	}
	first := connect()
	<-asked
	if live, err := r.Connections(t.Context()); err != nil || len(live) != 0 {
		t.Errorf("live connections %+v, %v; want none", live, err)
	}
	ended := clock.Now().UnixMilli()
	clock.Advance(5 * time.Second)
	second := connect()
	close(answer)
	if e := r.awaitAuditOf(first); e.Code != "R07" || e.DurationMs != 0 || e.CreatedAt != ended {
		t.Errorf("audit entry %+v; want CLOSED R07 of the end's time %d", e, ended)
	}
	if e := r.awaitAuditOf(second); e.Code != "R07" {
		t.Errorf("audit entry %+v; want R07", e)
	}
}

// R08: the device wanted TLS.
func TestDoubleTLS(t *testing.T) {
	for name, answer := range map[string]string{
		"alert": "\x15\x03\x01\x00\x02\x02\x46",
		"nginx": "HTTP/1.1 400 Bad Request\r\nServer: nginx\r\n\r\n<title>400 The plain HTTP request was sent to HTTPS port</title>",
	} {
		t.Run(name, func(t *testing.T) {
			r := startRelay(t, Config{Network: device(t, func(c *net.TCPConn) {
				c.Read(make([]byte, 100))
				io.WriteString(c, answer)
				c.CloseWrite()
				io.Copy(io.Discard, c)
			})})
			conn := r.dialTLS(r.mapping(true))
			io.WriteString(conn, "GET / HTTP/1.1\r\n\r\n")
			if got, err := io.ReadAll(conn); err != nil || string(got) != answer {
				t.Errorf("the client got %q, %v; the device's answer passes as it is", got, err)
			}
			conn.Close()
			r.expectCause("R08", "CLOSED")
		})
	}
}

// R13: the port of an ended mapping refuses and says why, until a new mapping needs it.
func TestEndedPortIsRemembered(t *testing.T) {
	const port = 20000
	clock := newFakeClock()
	r := startRelay(t, Config{Clock: clock, RememberEnded: 1, Ports: [2]uint16{port, port},
		MappingIP: netip.MustParseAddr("127.0.0.79")}) // whose ports no other test takes
	m := r.mapping(false)
	clock.Advance(time.Hour)
	conn := r.dial(m)
	io.WriteString(conn, "hello")
	expectEOF(t, conn)
	conn.Close()
	if e := r.expectCause("R13", "DENIED"); !strings.Contains(e.CloseReason, "ended at") {
		t.Errorf("audit entry %+v", e)
	}
	again := r.mapping(false)
	if again.Port != m.Port {
		t.Errorf("the new mapping got port %d", again.Port)
	}
	r.opened(again)
	if err := r.DeletePortMapping(t.Context(), again.IPAddress, again.Port); err != nil {
		t.Fatal(err)
	}
	expectEOF(t, r.dial(again))
	clock.Advance(time.Hour)
	expectPortClosed(t, again)
}

// R16: each limit refuses, and says which it is.
func TestLimits(t *testing.T) {
	for _, tt := range []struct {
		name string
		cfg  Config
		says string
	}{
		{"source", Config{MaxPerSource: 1}, "live connections of 127.0.0.1"},
		{"SIM", Config{MaxPerSIM: 1}, "to SIM " + simA},
		{"mapping", Config{MaxConnections: 1}, "of the mapping"},
		{"rate", Config{RatePerSource: 0.1}, "a second; it ends in 10 s"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.cfg.Clock = newFakeClock()
			r := startRelay(t, tt.cfg)
			m := r.mapping(false)
			r.opened(m)
			second := r.dial(m)
			expectEOF(t, second)
			second.Close()
			if e := r.expectCause("R16", "REFUSED"); !strings.Contains(e.CloseReason, tt.says) {
				t.Errorf("close reason %q, want %q", e.CloseReason, tt.says)
			}
		})
	}
}

// A flood is counted, not listed.
func TestFloodIsOneEntry(t *testing.T) {
	clock := newFakeClock()
	r := startRelay(t, Config{Clock: clock, SilenceTimeout: patience})
	m := r.mapping(true)
	const flood = 50
	for range flood {
		conn := r.dial(m)
		io.WriteString(conn, "SSH-2.0-x\r\n")
		expectEOF(t, conn)
		conn.Close()
	}
	clock.Advance(floodWindow)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for tick := time.NewTicker(50 * time.Millisecond); ; <-tick.C { // the clock stands still: so does the limit of calls
		entries, _, err := r.ConnectionLogs(ctx, relayapi.AuditQuery{Code: "R01"})
		if err != nil {
			t.Fatal(err)
		}
		total := 0
		for _, e := range entries {
			total += max(e.Count, 1)
		}
		if len(entries) > floodEach+1 {
			t.Fatalf("%d entries", len(entries))
		}
		if total == flood {
			break
		}
	}
	all, _, err := r.ConnectionLogs(ctx, relayapi.AuditQuery{Limit: 1000})
	if err != nil || len(all) > 2*floodEach+2 {
		t.Errorf("%d entries of a flood of %d, %v", len(all), flood, err)
	}
}

// W19 to W23.
func TestWarnings(t *testing.T) {
	r := startRelay(t, Config{})
	all, elsewhere := []string{"0.0.0.0/0"}, []string{"203.0.113.0/24"}
	for _, tt := range []struct {
		port     int
		tls      bool
		duration int
		sources  []string
		want     string
	}{
		{22, true, 60, nil, "W19"},
		{3389, true, 60, nil, "W19"},
		{443, true, 60, nil, "W20"},
		{8443, true, 60, nil, "W20"},
		{502, false, 60, all, "W21"},
		{5900, false, 60, append(elsewhere, "::/0"), "W21 W23"},
		{502, true, 60, all, ""},
		{22, false, 60, all, ""},
		{80, false, 59, nil, "W22"},
		{80, false, 60, elsewhere, "W23"},
		{22, true, 1, elsewhere, "W19 W22 W23"},
		{80, true, 60, nil, ""},
	} {
		for _, lang := range []string{"en", "ja"} {
			r.Lang = lang
			req := relayapi.CreatePortMappingRequest{Destination: relayapi.Destination{SIMID: simA, Port: tt.port}, TLSRequired: tt.tls, Duration: &tt.duration}
			if tt.sources != nil {
				req.Source = &relayapi.Source{IPRanges: tt.sources}
			}
			m, err := r.CreatePortMapping(t.Context(), req)
			if err != nil {
				t.Fatal(err)
			}
			var codes []string
			for _, w := range m.Warnings {
				codes = append(codes, w.Code)
				if w.Message != Cause(w.Code).Text(lang) || w.Message == "" {
					t.Errorf("%s in %s: %q", w.Code, lang, w.Message)
				}
			}
			if got := strings.Join(codes, " "); got != tt.want {
				t.Errorf("%+v: warnings %q, want %q", tt, got, tt.want)
			}
		}
	}
}
