package relay

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"testing"
	"time"

	"minato/relay/relayapi"
)

// expectEcho checks that a live connection goes on.
func expectEcho(t *testing.T, conn net.Conn) {
	t.Helper()
	io.WriteString(conn, "y")
	if _, err := io.ReadFull(conn, make([]byte, 1)); err != nil {
		t.Errorf("a live connection: %v", err)
	}
}

// The clock is set beyond a mapping's end: nobody is served from then on, and who is connected is cut at the next look.
func TestClockSetForward(t *testing.T) {
	clock := newFakeClock()
	r := startRelay(t, Config{Clock: clock})
	m := r.mapping(false)
	conn := r.opened(m)
	clock.Set(59 * time.Minute)
	clock.Advance(lookInterval)
	expectEcho(t, conn)

	clock.Set(time.Minute)
	late := r.dial(m)
	expectEOF(t, late)
	late.Close()
	if e := r.awaitAuditOf(late); e.Type != relayapi.AuditDenied || e.Code != "R13" {
		t.Errorf("audit entry %+v; want DENIED R13", e)
	}
	clock.Advance(lookInterval)
	expectCut(t, conn)
	r.expectLife(m, relayapi.AuditCreated, relayapi.AuditExpired)
	if e := r.awaitAuditOf(conn); e.Code != "R13" {
		t.Errorf("audit entry %+v; want R13", e)
	}
}

// The clock is set back: a mapping serves for as long as was asked for and no longer, and is listed until then.
func TestClockSetBack(t *testing.T) {
	clock := newFakeClock()
	r := startRelay(t, Config{Clock: clock})
	m, deleted, extended := r.mapping(false), r.mapping(false), r.mapping(false)
	conn := r.opened(m)
	clock.Set(-5 * time.Hour)
	if _, err := r.ExtendPortMapping(t.Context(), extended.IPAddress, extended.Port, 7200); err != nil {
		t.Fatal(err)
	}
	clock.Advance(time.Hour - time.Millisecond)
	expectEcho(t, conn)
	r.expectLife(m, relayapi.AuditCreated)
	if err := r.DeletePortMapping(t.Context(), deleted.IPAddress, deleted.Port); err != nil {
		t.Error(err)
	}
	r.expectLife(deleted, relayapi.AuditCreated, relayapi.AuditDeleted)

	clock.Advance(time.Millisecond)
	expectCut(t, conn)
	r.expectLife(m, relayapi.AuditCreated, relayapi.AuditExpired)
	clock.Advance(time.Hour - time.Millisecond)
	r.expectLife(extended, relayapi.AuditCreated, relayapi.AuditExtended)
	clock.Advance(time.Millisecond)
	r.expectLife(extended, relayapi.AuditCreated, relayapi.AuditExtended, relayapi.AuditExpired)
}

// The clock was set back while no relay ran, which no timer could see: what was asked for bounds what is left, and so do 8 hours.
func TestClockSetBackWhileStopped(t *testing.T) {
	clock, dir := newFakeClock(), t.TempDir()
	r := startRelay(t, Config{Clock: clock, Dir: dir})
	key, secret := r.AuthKeyID, r.AuthKey
	hour, extended := r.mapping(false), r.mapping(false)
	clock.Advance(30 * time.Minute)
	if _, err := r.ExtendPortMapping(t.Context(), extended.IPAddress, extended.Port, maxDuration); err != nil {
		t.Fatal(err)
	}
	r.stop()
	clock.Set(-20 * time.Hour)
	r = startRelay(t, Config{Clock: clock, Dir: dir, BootstrapKey: func(string, string) {}})
	r.AuthKeyID, r.AuthKey = key, secret
	clock.Advance(time.Hour)
	r.expectLife(hour, relayapi.AuditCreated, relayapi.AuditExpired)
	clock.Advance(maxDuration*time.Second - time.Hour - time.Millisecond)
	r.expectLife(extended, relayapi.AuditCreated, relayapi.AuditExtended)
	clock.Advance(time.Millisecond)
	r.expectLife(extended, relayapi.AuditCreated, relayapi.AuditExtended, relayapi.AuditExpired)
}

// R13 also where the end comes before the device is reached.
func TestExpiryBeforeTheDevice(t *testing.T) {
	for _, tt := range []struct {
		name  string
		tlsOn bool
		sends string
		await string
	}{
		{"in the ClientHello", true, "\x16\x03\x01\x02\x00", "connection"},
		{"in the handshake", true, hello(&tls.Config{}), "answer"},
		{"while the device is dialled", false, "", "dial"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			clock := newFakeClock()
			dialling := make(chan struct{})
			r := startRelay(t, Config{Clock: clock, SilenceTimeout: patience, HandshakeTimeout: patience,
				Network: networkFunc(func(ctx context.Context, _ string, _ uint16) (net.Conn, error) {
					close(dialling)
					<-ctx.Done()
					return nil, ctx.Err()
				})})
			m := r.mapping(tt.tlsOn)
			conn := r.dial(m)
			io.WriteString(conn, tt.sends)
			switch tt.await {
			case "dial":
				<-dialling
			case "connection":
				r.awaitLive(1, 0)
			case "answer":
				if _, err := io.ReadFull(conn, make([]byte, 1)); err != nil {
					t.Fatal(err)
				}
			}
			clock.Advance(time.Hour)
			io.Copy(io.Discard, conn)
			if e := r.awaitAuditOf(conn); e.Type != relayapi.AuditClosed || e.Code != "R13" {
				t.Errorf("audit entry %+v; want CLOSED R13", e)
			}
		})
	}
}
