package relay

import (
	"context"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"minato/relay/relayapi"
)

// Clients that do not speak TLS to a mapping with the TLS option ON get FIN and no byte, and the audit log says what they spoke.
func TestRefusalOfFirstBytes(t *testing.T) {
	var dials atomic.Int32
	r := startRelay(t, Config{Network: networkFunc(func(context.Context, string, uint16) (net.Conn, error) {
		dials.Add(1)
		return nil, ErrOffline
	})})
	m := r.mapping(true)
	for _, tt := range []struct {
		name, sends, code, protocol string
	}{
		{"ssh", "SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3\r\n", "R01", "ssh"},
		{"rdp", "\x03\x00\x00\x13\x0e\xe0\x00\x00\x00\x00\x00\x01\x00\x08\x00\x0b\x00\x00\x00", "R02", "rdp"},
		{"http", "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", "R03", "http"},
		{"long http", "GET /" + strings.Repeat("x", 10000) + " HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", "R03", "http"},
		{"modbus", "\x00\x01\x00\x00\x00\x06\x01\x03\x00\x00\x00\x0a", "R04", "modbus"},
		{"garbage", "\xff\xfe\xfd\xfc\xfb\xfa\xf9\xf8\xf7\xf6", "R05", ""},
		{"broken hello", "\x16\x03\x01\x00\x05\x02\x00\x00\x01\x00", "R05", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			conn := r.dial(m)
			if _, err := io.WriteString(conn, tt.sends); err != nil {
				t.Fatal(err)
			}
			expectEOF(t, conn)
			// The relay's half is closed; what is written now must not come back as a reset either.
			if _, err := io.WriteString(conn, tt.sends); err != nil {
				t.Error(err)
			}
			expectEOF(t, conn)
			conn.Close()
			e := r.awaitAuditOf(conn)
			if e.Type != relayapi.AuditDenied || e.Code != tt.code || tt.protocol != "" && e.Protocol != tt.protocol || e.Reason == "" || e.ConnectionID == "" || !e.TLS {
				t.Errorf("audit entry %+v; want DENIED %s %s", e, tt.code, tt.protocol)
			}
		})
	}
	if n := dials.Load(); n != 0 {
		t.Errorf("the device was dialled %d times", n)
	}
}

// awaitAuditOf waits for the last audit entry of a connection: DENIED, REFUSED or CLOSED.
func (r *testRelay) awaitAuditOf(conn net.Conn) relayapi.NapterAuditLogEntry {
	r.t.Helper()
	from, to := addrPort(conn.LocalAddr()), addrPort(conn.RemoteAddr()) // two mappings' clients may have one port
	ctx, cancel := context.WithTimeout(r.t.Context(), patience)
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		entries, _, err := r.AuditLogs(ctx, relayapi.AuditQuery{Limit: 1000})
		if err != nil {
			r.t.Fatal(err)
		}
		for _, e := range entries {
			if e.Direction.SourcePort == int64(from.Port()) && e.Direction.DestinationPort == int64(to.Port()) && e.Type != relayapi.AuditAccess && e.Type != relayapi.AuditConnected {
				return e
			}
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			r.t.Fatalf("no end of %s in the audit log: %+v", from, entries)
		}
	}
}

func TestRefusalOfSilence(t *testing.T) {
	r := startRelay(t, Config{SilenceTimeout: 50 * time.Millisecond})
	m := r.mapping(true)
	t.Run("nothing", func(t *testing.T) {
		conn := r.dial(m)
		expectEOF(t, conn)
		conn.Close()
		if e := r.awaitAuditOf(conn); e.Type != relayapi.AuditDenied || e.Code != "R06" {
			t.Errorf("audit entry %+v; want DENIED R06", e)
		}
	})
	t.Run("half a hello", func(t *testing.T) {
		_, server := tcpPair(t)
		half := []byte("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03") // here before the time runs
		if f := readHello(server, half, 20*time.Millisecond, 0); f.cause != CauseStalled || !f.broken || f.size != len(half) {
			t.Errorf("read as %+v; want R18", f)
		}
	})
}

// A port scanner opens and closes: that is no refusal.
func TestClientGoneWithoutAByte(t *testing.T) {
	r := startRelay(t, Config{})
	conn := r.dial(r.mapping(true))
	conn.Close()
	if e := r.awaitAuditOf(conn); e.Type != relayapi.AuditClosed || e.Code != "" {
		t.Errorf("audit entry %+v; want CLOSED without a code", e)
	}
}

func TestRefusalOfSource(t *testing.T) {
	r := startRelay(t, Config{})
	for _, tlsOn := range []bool{false, true} {
		m, err := r.CreatePortMapping(t.Context(), relayapi.CreatePortMappingRequest{
			Destination: relayapi.Destination{IMSI: imsiA, Port: 80}, TLSRequired: tlsOn,
			Source: &relayapi.Source{IPRanges: []string{"203.0.113.0/24", "2001:db8::/32"}},
		})
		if err != nil {
			t.Fatal(err)
		}
		conn := r.dial(m)
		io.WriteString(conn, "SSH-2.0-x\r\n")
		expectEOF(t, conn)
		conn.Close()
		if e := r.awaitAuditOf(conn); e.Type != relayapi.AuditDenied || e.Code != "R12" {
			t.Errorf("audit entry %+v; want DENIED R12", e)
		}
	}
}

func TestRefusalOfTooMany(t *testing.T) {
	r := startRelay(t, Config{MaxConnections: 1})
	m := r.mapping(false)
	first := r.dial(m)
	io.WriteString(first, "x")
	if _, err := io.ReadFull(first, make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	second := r.dial(m)
	expectEOF(t, second)
	second.Close()
	if e := r.awaitAuditOf(second); e.Type != relayapi.AuditRefused || e.Code != "R16" {
		t.Errorf("audit entry %+v; want REFUSED R16", e)
	}
}

// dialFrom connects to a mapping's port from an address of this machine.
func (r *testRelay) dialFrom(from string, m *relayapi.PortMapping) net.Conn {
	r.t.Helper()
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}, Timeout: patience}
	conn, err := d.DialContext(r.t.Context(), "tcp", m.Endpoint)
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(patience))
	return conn
}

// Clients that are refused have no part in the mapping's limit, however long they stay and however many they are.
func TestDeniedTakeNoRoom(t *testing.T) {
	r := startRelay(t, Config{MaxConnections: 2, RefusalTimeout: patience, Clock: newFakeClock()})
	m, err := r.CreatePortMapping(t.Context(), relayapi.CreatePortMappingRequest{
		Destination: relayapi.Destination{SIMID: simA, Port: 80}, Source: &relayapi.Source{IPRanges: []string{"127.0.0.2/32"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	for range mostRefusalsOfEach {
		expectEOF(t, r.dialFrom("127.0.0.1", m)) // which it leaves open
	}
	expectCut(t, r.dialFrom("127.0.0.1", m)) // closed at once
	r.refusals.mu.Lock()
	if n := r.refusals.all; n != mostRefusalsOfEach {
		t.Errorf("%d connections are being refused", n)
	}
	r.refusals.mu.Unlock()
	if e := r.logOf("R12", m.Port); e.Type != relayapi.AuditDenied {
		t.Errorf("the log has %+v; want DENIED", e)
	}
	expectEOF(t, r.dialFrom("127.0.0.3", m)) // another address that is denied
	for range 2 {
		good := r.dialFrom("127.0.0.2", m)
		io.WriteString(good, "x")
		if _, err := io.ReadFull(good, make([]byte, 1)); err != nil {
			t.Fatalf("a client that may connect: %v", err)
		}
	}
	third := r.dialFrom("127.0.0.2", m)
	expectEOF(t, third)
	if e := r.awaitAuditOf(third); e.Code != "R16" {
		t.Errorf("audit entry %+v; want R16", e)
	}
}

func TestRefusalsAreBounded(t *testing.T) {
	var r refusals
	source := func(i int) netip.Addr { return netip.AddrFrom4([4]byte{192, 0, 2, byte(i)}) }
	for i := range mostRefusals {
		if !r.take(source(i / mostRefusalsOfEach)) {
			t.Fatalf("refusal %d has no room", i)
		}
	}
	if r.take(source(255)) {
		t.Error("more than all have room")
	}
	r.give(source(0))
	if !r.take(source(255)) || r.take(source(255)) {
		t.Error("the room of one is not that of one")
	}
	r.give(source(255))
	if r.take(source(1)) {
		t.Error("more of one address have room")
	}
	for i := range mostRefusals {
		if i > 0 {
			r.give(source(i / mostRefusalsOfEach))
		}
	}
	if r.all != 0 || len(r.bySource) != 0 {
		t.Errorf("%d are left, %v", r.all, r.bySource)
	}
}

// A client that never closes is reset in the end.
func TestCloseOrderlyGivesUp(t *testing.T) {
	client, server := tcpPair(t)
	if closeOrderly(server, 20*time.Millisecond) {
		t.Error("a client that stays counts as orderly")
	}
	expectEOF(t, client)
}

func TestCloseOrderlyBoundsWhatItReads(t *testing.T) {
	client, server := tcpPair(t)
	wrote := make(chan struct{})
	go func() { // ends with the connection
		defer close(wrote)
		b := make([]byte, refusalBytes)
		for {
			if _, err := client.Write(b); err != nil {
				return
			}
		}
	}()
	if closeOrderly(server, patience) {
		t.Error("a client that does not stop counts as orderly")
	}
	<-wrote
}

func tcpPair(t *testing.T) (client, server net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	client, err = net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	server, err = l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	client.SetDeadline(time.Now().Add(patience))
	t.Cleanup(func() { client.Close(); server.Close() })
	return client, server
}
