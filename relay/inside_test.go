package relay

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"minato/relay/console"
	"minato/relay/relayapi"
)

// dialInside connects through a mapping as the console does, for this client's user and from an address.
func (r *testRelay) dialInside(ctx context.Context, m *relayapi.PortMapping, from string) (*console.Connection, error) {
	r.t.Helper()
	auth, err := r.Auth(ctx)
	if err != nil {
		r.t.Fatal(err)
	}
	return r.dialInsideWith(ctx, auth, m, from)
}

// dialInsideWith is dialInside with the user's credentials.
func (r *testRelay) dialInsideWith(ctx context.Context, auth *relayapi.AuthResponse, m *relayapi.PortMapping, from string) (*console.Connection, error) {
	req := httptest.NewRequestWithContext(ctx, http.MethodGet, "/console/vnc", nil)
	req.RemoteAddr = from
	req.Header.Set(relayapi.HeaderAPIKey, auth.APIKey)
	req.Header.Set(relayapi.HeaderToken, auth.Token)
	conn, err := r.dialMapping(req, netip.MustParseAddrPort(m.Endpoint))
	if err == nil {
		conn.SetDeadline(time.Now().Add(patience))
		r.t.Cleanup(func() { conn.Close() })
	}
	return conn, err
}

const browser = "127.0.0.1:50000"

// The console's connection is one like any other: listed, logged, cut, ended with its mapping. The TLS option does not keep it out.
func TestInside(t *testing.T) {
	clock := newFakeClock()
	r := startRelay(t, Config{Clock: clock})
	m := r.mapping(true)
	conn, err := r.dialInside(t.Context(), m, browser)
	if err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 4)
	io.WriteString(conn, "ping")
	if _, err := io.ReadFull(conn, b); err != nil || string(b) != "ping" {
		t.Fatalf("read %q, %v", b, err)
	}
	if live := r.awaitLive(1, 4); live[0].ConnectionID != conn.ID || live[0].Direction.SourceIPAddress != "127.0.0.1" {
		t.Errorf("live: %+v", live)
	}
	if err := r.CutConnection(t.Context(), conn.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Read(b); err == nil {
		t.Error("a cut connection goes on")
	}
	if e := r.awaitAudit(relayapi.AuditClosed); e.ConnectionID != conn.ID || e.DevicePort != m.Destination.Port || e.BytesDown != 4 || !strings.Contains(e.CloseReason, "cut over the API") {
		t.Errorf("the log has %+v", e)
	}
	conn, err = r.dialInside(t.Context(), m, browser)
	if err != nil {
		t.Fatal(err)
	}
	clock.Advance(time.Hour)
	if _, err := conn.Read(b); err == nil {
		t.Error("a connection outlives its mapping")
	}
}

func TestInsideRefusals(t *testing.T) {
	refused := networkFunc(func(context.Context, string, uint16) (net.Conn, error) { return nil, ErrOffline })
	r := startRelay(t, Config{Network: refused})
	m := r.mapping(false)
	viewer := r.asUser(relayapi.CreateUserRequest{UserName: "viewer", Role: RoleViewer})
	elsewhere := r.asUser(relayapi.CreateUserRequest{UserName: "elsewhere", Role: RoleOperator, SIMIDs: []string{simB}})
	gone := *m
	gone.Endpoint = "127.0.0.1:1"
	for _, tt := range []struct {
		name string
		as   *testRelay
		m    *relayapi.PortMapping
		from string
		code string
	}{
		{"device offline", r, m, browser, "R11"},
		{"address outside the ranges", r, m, "192.0.2.1:50000", "R12"},
		{"a viewer", viewer, m, browser, codeForbidden},
		{"a user of other SIMs", elsewhere, m, browser, codeNoMapping},
		{"no such mapping", r, &gone, browser, codeNoMapping},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := tt.as.dialInside(t.Context(), tt.m, tt.from)
			var refusal *console.Refusal
			if !errors.As(err, &refusal) || refusal.Code != tt.code || refusal.Message == "" {
				t.Errorf("got %v, want the code %s with words", err, tt.code)
			}
		})
	}
}

// A connection of the console does not outlive what its user may do.
func TestInsideEndsWithThePermission(t *testing.T) {
	all := append(slices.Clone(endings),
		ending{"the user may only look", true, func(a *access) { a.call("PUT", "/v1/users/operator", `{"role":"viewer"}`) }},
		ending{"the user has other SIMs", true, func(a *access) { a.call("PUT", "/v1/users/operator", `{"role":"operator","simIds":["`+simB+`"]}`) }},
	)
	for _, tt := range all {
		t.Run(tt.name, func(t *testing.T) {
			a := newAccess(t, tt.user)
			conn, err := a.dialInsideWith(t.Context(), a.auth, a.mapping(false), browser)
			if err != nil {
				t.Fatal(err)
			}
			b := make([]byte, 4)
			<-a.clock.set
			a.clock.Advance(guardInterval)
			<-a.clock.set // looked at, and found well
			io.WriteString(conn, "ping")
			if _, err := io.ReadFull(conn, b); err != nil {
				t.Fatalf("read %q, %v while nothing has changed", b, err)
			}
			tt.end(a)
			a.clock.Advance(guardInterval)
			if n, err := conn.Read(b); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("read %q, %v afterwards", b[:n], err)
			}
			if e := a.awaitAudit(relayapi.AuditClosed); !strings.Contains(e.CloseReason, errNotAllowed.Error()) {
				t.Errorf("the log has %+v", e)
			}
		})
	}
}

// A browser that leaves while the device is dialled takes the dialling with it.
func TestInsideGone(t *testing.T) {
	dialling := make(chan struct{})
	r := startRelay(t, Config{Network: networkFunc(func(ctx context.Context, _ string, _ uint16) (net.Conn, error) {
		close(dialling)
		<-ctx.Done()
		return nil, ctx.Err()
	})})
	m := r.mapping(false)
	ctx, leave := context.WithCancel(t.Context())
	go func() { // ends with the dialling
		<-dialling
		leave()
	}()
	if _, err := r.dialInside(ctx, m, browser); err == nil {
		t.Error("connected without a device")
	}
	if e := r.awaitAudit(relayapi.AuditClosed); !strings.Contains(e.CloseReason, errGone.Error()) {
		t.Errorf("the log has %+v", e)
	}
}

// A connection that comes to a mapping just when it has ended is not counted in: its end would not wait for it.
func TestEnterAfterTheEnd(t *testing.T) {
	r := startRelay(t, Config{})
	m := r.mapping(false)
	pm := r.mappings.get(netip.MustParseAddrPort(m.Endpoint))
	if err := r.DeletePortMapping(t.Context(), m.IPAddress, m.Port); err != nil {
		t.Fatal(err)
	}
	if ctx, _ := pm.enter(); ctx != nil {
		t.Error("an ended mapping takes a connection")
	}
}

func TestConnectionStats(t *testing.T) {
	r := startRelay(t, Config{})
	on, off := r.mapping(true), r.mapping(false)
	conn := r.dial(off)
	io.WriteString(conn, "hello")
	if _, err := io.ReadFull(conn, make([]byte, 5)); err != nil {
		t.Fatal(err)
	}
	conn.CloseWrite()
	expectEOF(t, conn)
	r.awaitAudit(relayapi.AuditClosed)
	refused := r.dial(on)
	io.WriteString(refused, "SSH-2.0-OpenSSH_9.2\r\n")
	expectEOF(t, refused)
	r.awaitAudit(relayapi.AuditDenied)
	stats, err := r.ConnectionStats(t.Context(), 0, 0, 2)
	if err != nil {
		t.Fatal(err)
	}
	last := stats.Buckets[1]
	if last.Connections != 1 || last.Refusals != 1 || last.BytesUp != 5 || last.BytesDown != 5 || stats.Buckets[0].Connections != 0 {
		t.Errorf("counted %+v", stats.Buckets)
	}
	if !stats.Complete || len(stats.Refusals) != 1 || stats.Refusals[0].Code != "R01" || stats.Refusals[0].Count != 1 || stats.StepMs != 12*time.Hour.Milliseconds() {
		t.Errorf("counted %+v", stats)
	}
	if _, err := r.ConnectionStats(t.Context(), 2000, 1000, 2); err == nil {
		t.Error("a time that ends before it begins is counted")
	}
}

func TestAgentStatus(t *testing.T) {
	for _, tt := range []struct {
		name, answer string
		want         bool
	}{
		{"a status", "HTTP/1.1 200 OK\r\nContent-Length: 18\r\n\r\n{\"state\":\"online\"}", true},
		{"no JSON", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", false},
		{"not found", "HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\n{}", false},
		{"no HTTP", "SSH-2.0-x\r\n", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := startRelay(t, Config{Network: device(t, func(c *net.TCPConn) {
				c.Read(make([]byte, 1000))
				io.WriteString(c, tt.answer)
			})})
			status, err := r.AgentStatus(t.Context(), simA)
			if got := err == nil && status["state"] == "online"; got != tt.want {
				t.Errorf("got %v, %v, want a status: %v", status, err, tt.want)
			}
		})
	}
}
