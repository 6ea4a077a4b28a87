package relay

import (
	"errors"
	"net"
	"net/netip"
	"strings"
	"sync/atomic"
	"syscall"
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

// What the configuration has taken from the mappings is not opened again: another program may have it by now.
func TestEndedPortOutsideRangeStaysClosed(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(*Config, *relayapi.PortMapping)
	}{
		{"range", func(cfg *Config, m *relayapi.PortMapping) {
			cfg.Ports = [2]uint16{uint16(m.Port) + 1, uint16(m.Port) + 1}
		}},
		{"address", func(cfg *Config, _ *relayapi.PortMapping) { cfg.Advertise = netip.MustParseAddr("203.0.113.1") }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			cfg := Config{RememberEnded: 2, Dir: t.TempDir(), MappingIP: netip.MustParseAddr("127.0.0.82")}
			r := startRelay(t, cfg)
			m := r.mapping(false)
			if err := r.DeletePortMapping(t.Context(), m.IPAddress, m.Port); err != nil {
				t.Fatal(err)
			}
			r.stop()
			tt.change(&cfg, m)
			startRelay(t, cfg)
			expectPortClosed(t, m)
		})
	}
}

// A port that was a mapping's within the hour may be given to the API or the metrics: the relay starts.
func TestEndedPortIsLeftToAPI(t *testing.T) {
	cfg := Config{RememberEnded: 2, Dir: t.TempDir(), MappingIP: netip.MustParseAddr("127.0.0.81")}
	r := startRelay(t, cfg)
	api, metrics := r.mapping(false), r.mapping(false)
	for _, m := range []*relayapi.PortMapping{api, metrics} {
		if err := r.DeletePortMapping(t.Context(), m.IPAddress, m.Port); err != nil {
			t.Fatal(err)
		}
	}
	r.stop()
	cfg.API, cfg.Metrics = api.Endpoint, metrics.Endpoint
	startRelay(t, cfg)
}

// The hour of a remembered port begins with its mapping's end, not with a restart.
func TestRestartDoesNotProlongRemembering(t *testing.T) {
	clock := newFakeClock()
	cfg := Config{Clock: clock, RememberEnded: 4, Dir: t.TempDir(), MappingIP: netip.MustParseAddr("127.0.0.83")}
	r := startRelay(t, cfg)
	away, deleted := r.mapping(false), r.mapping(false) // away ends in an hour, while no relay runs
	clock.Advance(50 * time.Minute)
	if err := r.DeletePortMapping(t.Context(), deleted.IPAddress, deleted.Port); err != nil {
		t.Fatal(err)
	}
	r.stop()
	clock.Advance(59 * time.Minute)
	again := startRelay(t, cfg)
	for _, m := range []*relayapi.PortMapping{deleted, away} {
		expectEOF(t, again.dial(m))
	}
	clock.Advance(2 * time.Minute) // 61 minutes after the one's end, 51 after the other's
	expectPortClosed(t, deleted)
	expectEOF(t, again.dial(away))
	clock.Advance(10 * time.Minute)
	expectPortClosed(t, away)
}

// A live mapping whose port could not be opened at once does not lose it to an ended one that had the same.
func TestEndedPortIsLeftToLiveMapping(t *testing.T) {
	cfg := Config{RememberEnded: 4, Dir: t.TempDir(), MappingIP: netip.MustParseAddr("127.0.0.84"), Ports: [2]uint16{9000, 9000}}
	r := startRelay(t, cfg)
	old := r.mapping(false)
	if err := r.DeletePortMapping(t.Context(), old.IPAddress, old.Port); err != nil {
		t.Fatal(err)
	}
	live := r.mapping(false)
	r.stop()
	var tries atomic.Int32
	opened := make(chan struct{})
	cfg.Listen = func(network, address string) (net.Listener, error) {
		if address == live.Endpoint && tries.Add(1) == 1 {
			return nil, syscall.EADDRINUSE
		}
		l, err := net.Listen(network, address)
		if err == nil && address == live.Endpoint {
			close(opened)
		}
		return l, err
	}
	again := startRelay(t, cfg)
	<-opened
	again.opened(live)
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

// Nor does one more restart: the hour begins with the end, also where the log has it from the relay that came after it.
func TestSecondRestartDoesNotProlongRemembering(t *testing.T) {
	clock := newFakeClock()
	cfg := Config{Clock: clock, RememberEnded: 4, Dir: t.TempDir(), MappingIP: netip.MustParseAddr("127.0.0.86")}
	r := startRelay(t, cfg)
	m := r.mapping(false)
	keyID, key := r.AuthKeyID, r.AuthKey
	r.stop()
	clock.Advance(time.Hour)
	ended := clock.Now().UTC().Format(time.RFC3339)
	clock.Advance(40 * time.Minute)
	startRelay(t, cfg).stop() // writes EXPIRED
	clock.Advance(10 * time.Minute)
	r = startRelay(t, cfg)
	r.AuthKeyID, r.AuthKey = keyID, key
	conn := r.dial(m)
	expectEOF(t, conn)
	if e := r.awaitAuditOf(conn); e.Code != "R13" || !strings.Contains(e.CloseReason, ended) {
		t.Errorf("audit entry %+v; want R13 that names %s", e, ended)
	}
	r.stop()
	clock.Advance(11 * time.Minute) // 61 after the end, 21 after EXPIRED
	startRelay(t, cfg)
	expectPortClosed(t, m)
}

// What R13 says of a mapping that was deleted is when, not when it would have ended.
func TestDeletedPortSaysWhen(t *testing.T) {
	clock := newFakeClock()
	r := startRelay(t, Config{Clock: clock, RememberEnded: 1})
	m := r.mapping(false)
	clock.Advance(time.Minute)
	if err := r.DeletePortMapping(t.Context(), m.IPAddress, m.Port); err != nil {
		t.Fatal(err)
	}
	ended := clock.Now().UTC().Format(time.RFC3339)
	clock.Advance(time.Minute)
	conn := r.dial(m)
	expectEOF(t, conn)
	if e := r.awaitAuditOf(conn); e.Code != "R13" || !strings.Contains(e.CloseReason, ended) {
		t.Errorf("audit entry %+v; want R13 that names %s", e, ended)
	}
}
