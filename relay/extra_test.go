package relay

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"minato/relay/relayapi"
)

func TestExtend(t *testing.T) {
	clock := newFakeClock()
	r := startRelay(t, Config{Clock: clock})
	m := r.mapping(false)
	conn := r.opened(m)
	clock.Advance(time.Hour - time.Second)
	extended, err := r.ExtendPortMapping(t.Context(), m.IPAddress, m.Port, 7200)
	if err != nil {
		t.Fatal(err)
	}
	if want := clock.Now().Add(2 * time.Hour).UnixMilli(); extended.ExpiredTime != want || extended.CreatedTime != m.CreatedTime {
		t.Errorf("extended to %d, want %d", extended.ExpiredTime, want)
	}
	clock.Advance(2*time.Hour - time.Millisecond)
	io.WriteString(conn, "y")
	if _, err := io.ReadFull(conn, make([]byte, 1)); err != nil {
		t.Errorf("a live connection after an extension: %v", err)
	}
	if _, err := r.ExtendPortMapping(t.Context(), m.IPAddress, m.Port, 28801); err == nil {
		t.Error("extended beyond 8 hours")
	}
	shorter, err := r.ExtendPortMapping(t.Context(), m.IPAddress, m.Port, 1)
	if err != nil || len(shorter.Warnings) != 0 && shorter.Warnings[0].Code != "W22" {
		t.Errorf("%+v, %v", shorter, err)
	}
	clock.Advance(time.Second)
	expectCut(t, conn)
	expectPortClosed(t, m)
	if _, err := r.ExtendPortMapping(t.Context(), m.IPAddress, m.Port, 60); err == nil {
		t.Error("extended an ended mapping")
	}
	entries, _, err := r.AuditLogs(t.Context(), relayapi.AuditQuery{})
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.Type == relayapi.AuditExtended {
			t.Errorf("Napter's log has %+v", e)
		}
	}
	if list, _, err := r.ConnectionLogs(t.Context(), relayapi.AuditQuery{Type: relayapi.AuditExtended}); err != nil || len(list) != 2 {
		t.Errorf("%d entries EXTENDED, %v", len(list), err)
	}
}

// Of many that connect at once to a one-time mapping one is served, and the mapping ends with it.
func TestOneTime(t *testing.T) {
	r := startRelay(t, Config{RememberEnded: 10})
	m, err := r.CreatePortMapping(t.Context(), relayapi.CreatePortMappingRequest{Destination: relayapi.Destination{SIMID: simA, Port: 80}, OneTime: true})
	if err != nil || !m.OneTime {
		t.Fatalf("%+v, %v", m, err)
	}
	const many = 10
	answers := make(chan net.Conn, many)
	for range many {
		conn := r.dial(m)
		go func() { // ends with the answer or the end
			io.WriteString(conn, "x")
			if _, err := io.ReadFull(conn, make([]byte, 1)); err != nil {
				answers <- nil
				return
			}
			answers <- conn
		}()
	}
	var served []net.Conn
	for range many {
		if c := <-answers; c != nil {
			served = append(served, c)
		}
	}
	if len(served) != 1 {
		t.Fatalf("%d connections were served", len(served))
	}
	expectEOF(t, r.dial(m))
	served[0].Close()
	r.awaitAudit(relayapi.AuditExpired)
	if list, err := r.ListPortMappings(t.Context()); err != nil || len(list) != 0 {
		t.Errorf("mappings after the one connection: %v, %v", list, err)
	}
	expectEOF(t, r.dial(m))
}

// A device that is not reached does not use a one-time mapping up.
func TestOneTimeNeedsTheDevice(t *testing.T) {
	reach := make(chan Network, 1)
	good := device(t, echo)
	reach <- networkFunc(func(context.Context, string, uint16) (net.Conn, error) { return nil, ErrOffline })
	r := startRelay(t, Config{Network: networkFunc(func(ctx context.Context, sim string, port uint16) (net.Conn, error) {
		n := <-reach
		reach <- good
		return n.DialSIM(ctx, sim, port)
	})})
	m, err := r.CreatePortMapping(t.Context(), relayapi.CreatePortMappingRequest{Destination: relayapi.Destination{SIMID: simA, Port: 80}, OneTime: true})
	if err != nil {
		t.Fatal(err)
	}
	expectEOF(t, r.dial(m))
	r.opened(m)
}

func TestLiveConnections(t *testing.T) {
	r := startRelay(t, Config{})
	m := r.mapping(true)
	a, b := r.opened(m), r.opened(m)
	list, err := r.Connections(t.Context())
	list = slices.DeleteFunc(list, func(c relayapi.Connection) bool { return c.State == "connecting" }) // opened has tried without TLS too
	if err != nil || len(list) != 2 {
		t.Fatalf("%+v, %v", list, err)
	}
	for _, c := range list {
		if c.State != "connected" || c.SIMID != simA || !c.TLS || c.BytesUp != 1 || c.BytesDown != 1 || c.Direction.DestinationPort != int64(m.Port) {
			t.Errorf("connection %+v", c)
		}
		if c.Direction.SourcePort != int64(addrPort(a.LocalAddr()).Port()) {
			continue
		}
		if err := r.CutConnection(t.Context(), c.ConnectionID); err != nil {
			t.Error(err)
		}
	}
	expectCut(t, a)
	if e := r.awaitAuditOf(a); !strings.Contains(e.CloseReason, "cut over the API") {
		t.Errorf("audit entry %+v", e)
	}
	io.WriteString(b, "y")
	if _, err := io.ReadFull(b, make([]byte, 1)); err != nil {
		t.Errorf("the other connection: %v", err)
	}
	var apiErr *relayapi.Error
	if err := r.CutConnection(t.Context(), "none"); !errors.As(err, &apiErr) || apiErr.Status != 404 {
		t.Errorf("cutting nothing: %v", err)
	}
}

func TestDiagnose(t *testing.T) {
	offline := networkFunc(func(context.Context, string, uint16) (net.Conn, error) { return nil, ErrRefused })
	for _, tt := range []struct {
		name       string
		network    Network
		sim        string
		tls        bool
		source     string
		step, code string
	}{
		{"all good", device(t, speaks("RFB 003.008\n")), simA, true, "", "", ""},
		{"source", device(t, echo), simA, true, "198.51.100.1", "policy", "R12"},
		{"offline", device(t, echo), simB, true, "", "session", "R11"},
		{"refused", offline, simA, true, "", "device", "R09"},
		{"hangs up", device(t, func(*net.TCPConn) {}), simA, false, "", "banner", "R17"},
		{"SSH on TLS", device(t, speaks("SSH-2.0-x\r\n")), simA, true, "", "tls", "R01"},
		{"TLS on TLS", device(t, func(c *net.TCPConn) {
			c.Read(make([]byte, 10))
			io.WriteString(c, "\x15\x03\x01\x00\x02\x02\x28")
			c.CloseWrite()
			io.Copy(io.Discard, c)
		}), simA, true, "", "tls", "R08"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := startRelay(t, Config{Network: tt.network})
			m, err := r.CreatePortMapping(t.Context(), relayapi.CreatePortMappingRequest{Destination: relayapi.Destination{SIMID: tt.sim, Port: 80}, TLSRequired: tt.tls})
			if err != nil {
				t.Fatal(err)
			}
			got, err := r.Diagnose(t.Context(), m.IPAddress, m.Port, tt.source)
			if err != nil {
				t.Fatal(err)
			}
			if got.FailedStep != tt.step || got.Code != tt.code || got.OK != (tt.step == "") || len(got.Steps) != 6 {
				t.Errorf("diagnosis %+v; want %s %s", got, tt.step, tt.code)
			}
			if tt.code != "" && got.Message != Cause(tt.code).Text("en") {
				t.Errorf("message %q", got.Message)
			}
			r.Lang = "ja"
			ja, err := r.Diagnose(t.Context(), m.IPAddress, m.Port, tt.source)
			if err != nil || tt.code != "" && ja.Message != Cause(tt.code).Text("ja") {
				t.Errorf("in Japanese: %+v, %v", ja, err)
			}
			for i, step := range ja.Steps {
				if step.Finding != "" && step.Finding == got.Steps[i].Finding {
					t.Errorf("finding of %s is not Japanese: %s", step.Step, step.Finding)
				}
			}
		})
	}
}

func TestEvents(t *testing.T) {
	r := startRelay(t, Config{})
	auth, err := r.Auth(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), "GET", r.BaseURL+"/v1/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set(relayapi.HeaderAPIKey, auth.APIKey)
	req.Header.Set(relayapi.HeaderToken, auth.Token)
	resp, err := r.HTTPClient.Do(req)
	if err != nil || resp.StatusCode != 200 {
		t.Fatalf("%+v, %v", resp, err)
	}
	defer resp.Body.Close()
	lines := bufio.NewScanner(resp.Body)
	next := func(want string) {
		t.Helper()
		for lines.Scan() {
			if strings.HasPrefix(lines.Text(), want) {
				return
			}
		}
		t.Fatalf("no %q: %v", want, lines.Err())
	}
	next(": listening")
	m := r.mapping(false)
	next("event: CREATED")
	next(`data: {"operatorId":"OP0000000001"`)
	conn := r.opened(m)
	next("event: ACCESS")
	next("event: CONNECTED")
	conn.Close()
	next("event: CLOSED")
	r.stop() // ends the stream, and does not wait for it
	for lines.Scan() {
	}
}
