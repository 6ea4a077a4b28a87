package relay

import (
	"errors"
	"io"
	"net"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"minato/relay/relayapi"
)

// opened is a connection through a mapping that has carried a byte each way.
func (r *testRelay) opened(m *relayapi.PortMapping) net.Conn {
	r.t.Helper()
	var conn net.Conn
	if m.TLSRequired {
		conn = r.dialTLS(m)
	} else {
		conn = r.dial(m)
	}
	if _, err := io.WriteString(conn, "x"); err != nil {
		r.t.Fatal(err)
	}
	if _, err := io.ReadFull(conn, make([]byte, 1)); err != nil {
		r.t.Fatal(err)
	}
	return conn
}

func expectPortClosed(t *testing.T, m *relayapi.PortMapping) {
	t.Helper()
	conn, err := net.Dial("tcp", m.Endpoint)
	if !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("dialling an ended mapping: %v, want a refusal", err)
	}
	if err == nil {
		conn.Close()
	}
}

// expectCut checks that a live connection is over, in whatever way.
func expectCut(t *testing.T, conn net.Conn) {
	t.Helper()
	if n, err := conn.Read(make([]byte, 1)); n != 0 || err == nil {
		t.Errorf("a connection that should be cut gave %d bytes, %v", n, err)
	}
}

func TestExpiryClosesPortAndConnections(t *testing.T) {
	clock := newFakeClock()
	r := startRelay(t, Config{Clock: clock})
	for _, tlsOn := range []bool{false, true} {
		m := r.mapping(tlsOn)
		conn := r.opened(m)
		clock.Advance(time.Hour - time.Millisecond)
		r.opened(m)
		clock.Advance(time.Millisecond)
		expectCut(t, conn)
		expectPortClosed(t, m)
		e := r.awaitAuditOf(conn)
		if e.Type != relayapi.AuditClosed || e.Code != "R13" || e.BytesUp != 1 || e.BytesDown != 1 || e.DurationMs != time.Hour.Milliseconds() {
			t.Errorf("audit entry %+v; want CLOSED R13", e)
		}
		if e := r.awaitAudit(relayapi.AuditExpired); e.Direction.DestinationPort != int64(m.Port) || e.IMSI != imsiA {
			t.Errorf("audit entry %+v; want EXPIRED of port %d", e, m.Port)
		}
		list, err := r.ListPortMappings(t.Context())
		if err != nil || len(list) != 0 {
			t.Errorf("mappings after expiry: %v, %v", list, err)
		}
	}
}

func TestDeleteClosesPortAndConnections(t *testing.T) {
	r := startRelay(t, Config{})
	for _, tlsOn := range []bool{false, true} {
		m := r.mapping(tlsOn)
		conn := r.opened(m)
		if err := r.DeletePortMapping(t.Context(), m.IPAddress, m.Port); err != nil {
			t.Fatal(err)
		}
		expectCut(t, conn)
		expectPortClosed(t, m)
		if e := r.awaitAuditOf(conn); e.Type != relayapi.AuditClosed || e.CloseReason == "" {
			t.Errorf("audit entry %+v; want CLOSED with a reason", e)
		}
		if e := r.awaitAudit(relayapi.AuditDeleted); e.Direction.DestinationPort != int64(m.Port) {
			t.Errorf("audit entry %+v; want DELETED of port %d", e, m.Port)
		}
		err := r.DeletePortMapping(t.Context(), m.IPAddress, m.Port)
		if e := (*relayapi.Error)(nil); !errors.As(err, &e) || e.Status != 404 {
			t.Errorf("deleting twice: %v, want 404", err)
		}
	}
}

// The port of the mapping that ended last refuses; that of the one before is closed when there is room for one, and the relay ends
// at once all the same.
func TestOldestEndedPortIsClosed(t *testing.T) {
	r := startRelay(t, Config{RememberEnded: 1})
	first, second := r.mapping(false), r.mapping(false)
	for _, m := range []*relayapi.PortMapping{first, second} {
		if err := r.DeletePortMapping(t.Context(), m.IPAddress, m.Port); err != nil {
			t.Fatal(err)
		}
		expectEOF(t, r.dial(m))
	}
	expectPortClosed(t, first)
}

func TestRestartKeepsMappings(t *testing.T) {
	clock, dir := newFakeClock(), t.TempDir()
	r := startRelay(t, Config{Clock: clock, Dir: dir})
	key, secret := r.AuthKeyID, r.AuthKey
	short := 60
	ending, err := r.CreatePortMapping(t.Context(), relayapi.CreatePortMappingRequest{
		Destination: relayapi.Destination{SIMID: simA, Port: 22}, Duration: &short,
	})
	if err != nil {
		t.Fatal(err)
	}
	var want []relayapi.PortMapping
	for _, tlsOn := range []bool{false, true} {
		want = append(want, *r.mapping(tlsOn))
	}
	oldRoot, err := r.CA(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	live := r.opened(&want[0])
	r.stop()
	expectCut(t, live)
	expectPortClosed(t, &want[0])
	clock.Advance(2 * time.Minute)

	bootstrapped := false
	r = startRelay(t, Config{Clock: clock, Dir: dir, BootstrapKey: func(string, string) { bootstrapped = true }})
	r.AuthKeyID, r.AuthKey = key, secret
	if bootstrapped {
		t.Error("the second start made an admin key")
	}
	got, err := r.ListPortMappings(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	byPort := func(l []relayapi.PortMapping) map[int]relayapi.PortMapping {
		m := map[int]relayapi.PortMapping{}
		for _, x := range l {
			m[x.Port] = x
		}
		return m
	}
	if diff := cmp.Diff(byPort(want), byPort(got)); diff != "" {
		t.Errorf("mappings after a restart (-want +got):\n%s", diff)
	}
	for _, m := range got {
		r.opened(&m)
	}
	if root, err := r.CA(t.Context()); err != nil || string(root) != string(oldRoot) {
		t.Errorf("the CA's root changed: %v", err)
	}
	expectPortClosed(t, ending)
	if e := r.awaitAudit(relayapi.AuditExpired); e.Direction.DestinationPort != int64(ending.Port) {
		t.Errorf("audit entry %+v; want EXPIRED of port %d", e, ending.Port)
	}
	clock.Advance(time.Hour)
	expectPortClosed(t, &want[0])
}

// A port that is taken when the relay comes back costs that mapping only.
func TestRestartWithATakenPort(t *testing.T) {
	dir := t.TempDir()
	r := startRelay(t, Config{Dir: dir})
	key, secret := r.AuthKeyID, r.AuthKey
	a, b := r.mapping(false), r.mapping(false)
	r.stop()
	l, err := net.Listen("tcp", a.Endpoint)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	r = startRelay(t, Config{Dir: dir, BootstrapKey: func(string, string) {}})
	r.AuthKeyID, r.AuthKey = key, secret
	r.opened(b)
	if h, err := r.Health(t.Context()); err != nil || h.Status != "degraded" || len(h.Problems) != 1 || h.Problems[0].Part != "ports" {
		t.Errorf("health %+v, %v", h, err)
	}
	if err := r.DeletePortMapping(t.Context(), a.IPAddress, a.Port); err != nil {
		t.Error(err)
	}
}

func TestPortsRunOut(t *testing.T) {
	held, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer held.Close()
	port := uint16(held.Addr().(*net.TCPAddr).Port)
	r := startRelay(t, Config{Ports: [2]uint16{port, port}})
	_, err = r.CreatePortMapping(t.Context(), relayapi.CreatePortMappingRequest{Destination: relayapi.Destination{SIMID: simA, Port: 80}})
	if e := (*relayapi.Error)(nil); !errors.As(err, &e) || e.Status != 409 || e.Code != codeNoPort {
		t.Errorf("creating with no free port: %v, want 409", err)
	}
}

func TestDrain(t *testing.T) {
	r := startRelay(t, Config{DrainTimeout: patience})
	m := r.mapping(false)
	conn := r.opened(m).(*net.TCPConn)
	stopped := make(chan struct{})
	go func() { defer close(stopped); r.stop() }()
	awaitPortClosed(t, m)
	io.WriteString(conn, "y")
	if _, err := io.ReadFull(conn, make([]byte, 1)); err != nil {
		t.Errorf("a live connection while the relay drains: %v", err)
	}
	conn.Close()
	<-stopped
}

// awaitPortClosed waits until a port takes no connection.
func awaitPortClosed(t *testing.T, m *relayapi.PortMapping) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for {
		conn, err := net.Dial("tcp", m.Endpoint)
		if err != nil {
			return
		}
		conn.Close()
		if time.Now().After(deadline) {
			t.Fatal("the port stays open")
		}
	}
}
