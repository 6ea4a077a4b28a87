package relay

import (
	"context"
	"errors"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"minato/relay/relayapi"
)

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
	list := r.awaitLive(2, 1)
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

// awaitLive waits until n connections are live that have carried so many bytes each way: a byte is counted after it has arrived.
func (r *testRelay) awaitLive(n int, bytes int64) []relayapi.Connection {
	r.t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for late := time.After(patience); ; {
		list, err := r.Connections(r.t.Context())
		if err != nil {
			r.t.Fatal(err)
		}
		if len(list) == n && !slices.ContainsFunc(list, func(c relayapi.Connection) bool { return c.BytesUp != bytes || c.BytesDown != bytes }) {
			return list
		}
		select {
		case <-tick.C:
		case <-late:
			r.t.Fatalf("live connections %+v; want %d of %d bytes", list, n, bytes)
		}
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
			if tt.code != "" && got.Message != Cause(tt.code).Text("en") && tt.code != "R01" {
				t.Errorf("message %q", got.Message)
			}
			if strings.Contains(got.Message, "the client speaks") {
				t.Errorf("message %q, though no client has spoken", got.Message)
			}
			r.Lang = "ja"
			ja, err := r.Diagnose(t.Context(), m.IPAddress, m.Port, tt.source)
			if err != nil || tt.code != "" && tt.code != "R01" && ja.Message != Cause(tt.code).Text("ja") || got.Message != "" && ja.Message == got.Message {
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
