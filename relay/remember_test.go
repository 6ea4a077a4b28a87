package relay

import (
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"minato/relay/relayapi"
	"minato/relay/store"
)

// R13 also after a restart, for an hour from the end: what the audit log says of a mapping is enough to refuse its clients.
func TestEndedPortIsRememberedAfterRestart(t *testing.T) {
	clock := newFakeClock()
	cfg := Config{Clock: clock, RememberEnded: 2, Dir: t.TempDir(), MappingIP: netip.MustParseAddr("127.0.0.80")} // whose ports no other test takes
	r := startRelay(t, cfg)
	old, deleted, expired := r.mapping(true), r.mapping(true), r.mapping(false)
	if err := r.DeletePortMapping(t.Context(), old.IPAddress, old.Port); err != nil {
		t.Fatal(err)
	}
	clock.Advance(time.Minute)
	if err := r.DeletePortMapping(t.Context(), deleted.IPAddress, deleted.Port); err != nil {
		t.Fatal(err)
	}
	gone := clock.Now().UTC().Format(time.RFC3339)
	clock.Advance(58 * time.Minute)
	lives := r.mapping(false)
	clock.Advance(time.Minute) // expired ends
	keyID, key := r.AuthKeyID, r.AuthKey
	r.stop()

	again := startRelay(t, cfg)
	again.AuthKeyID, again.AuthKey = keyID, key
	expectPortClosed(t, old) // no room for three
	for _, m := range []*relayapi.PortMapping{deleted, expired} {
		conn := again.dial(m)
		expectEOF(t, conn)
		e := again.awaitAuditOf(conn)
		if e.Code != "R13" || e.Type != relayapi.AuditDenied || e.SIMID != simA || e.IMSI != imsiA || e.DevicePort != 80 || e.TLS != m.TLSRequired {
			t.Errorf("audit entry %+v; want DENIED R13 of the mapping", e)
		}
		if m == deleted && !strings.Contains(e.CloseReason, gone) {
			t.Errorf("close reason %q; want the time %s of its end", e.CloseReason, gone)
		}
	}
	again.opened(lives)
	again.stop()
	clock.Advance(rememberFor + time.Second)
	startRelay(t, cfg)
	expectPortClosed(t, deleted)
	expectPortClosed(t, expired)
}

// R13 of a one-time mapping whose connection the relay did not outlive.
func TestUsedPortIsRememberedAfterRestart(t *testing.T) {
	cfg := Config{RememberEnded: 1, Dir: t.TempDir(), MappingIP: netip.MustParseAddr("127.0.0.80")}
	r := startRelay(t, cfg)
	m, err := r.CreatePortMapping(t.Context(), relayapi.CreatePortMappingRequest{Destination: relayapi.Destination{SIMID: simA, Port: 80}, OneTime: true})
	if err != nil {
		t.Fatal(err)
	}
	keyID, key := r.AuthKeyID, r.AuthKey
	r.stop()
	s, err := store.Open(t.Context(), store.Config{Dir: storeDir(cfg.Dir)})
	if err != nil {
		t.Fatal(err)
	}
	stored, err := s.Mapping(t.Context(), netip.AddrPortFrom(cfg.MappingIP, uint16(m.Port)))
	if err == nil {
		_, err = s.SpendMapping(t.Context(), stored, "a connection")
	}
	if err := errors.Join(err, s.Close()); err != nil {
		t.Fatal(err)
	}

	r = startRelay(t, cfg)
	r.AuthKeyID, r.AuthKey = keyID, key
	conn := r.dial(m)
	expectEOF(t, conn)
	if e := r.awaitAuditOf(conn); e.Code != "R13" || e.CloseReason != inEnglish(say(wordUsed)) {
		t.Errorf("audit entry %+v; want DENIED R13 of a used mapping", e)
	}
}
