package store

import (
	"context"
	"errors"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

func isErr(err, target error) bool { return errors.Is(err, target) }

func TestMappings(t *testing.T) {
	ctx := testContext(t)
	s := openStore(t, Config{})
	if list, err := s.Mappings(ctx); err != nil || len(list) != 0 {
		t.Fatalf("empty store has %v, %v", list, err)
	}
	if _, err := s.Mapping(ctx, testAddr); !isErr(err, ErrNotFound) {
		t.Errorf("Mapping: %v, want ErrNotFound", err)
	}
	if _, err := s.DeleteMapping(ctx, testAddr); !isErr(err, ErrNotFound) {
		t.Errorf("DeleteMapping: %v, want ErrNotFound", err)
	}
	var want []Mapping
	for _, addr := range []string{"127.0.0.1:10022", "127.0.0.1:10080", "[2001:db8::1]:10022"} {
		m, err := s.CreateMapping(ctx, testMapping(netip.MustParseAddrPort(addr), time.Hour))
		if err != nil {
			t.Fatal(err)
		}
		want = append(want, m)
	}
	if got, err := s.Mappings(ctx); err != nil || diff(want, got) != "" {
		t.Errorf("Mappings: %v (-want +got):\n%s", err, diff(want, got))
	}
	if _, err := s.CreateMapping(ctx, testMapping(netip.MustParseAddrPort("[::ffff:127.0.0.1]:10022"), time.Hour)); !isErr(err, ErrExists) {
		t.Errorf("CreateMapping on a taken port: %v, want ErrExists", err)
	}
	got, err := s.DeleteMapping(ctx, testAddr)
	if err != nil || diff(want[0], got) != "" {
		t.Errorf("DeleteMapping: %v (-want +got):\n%s", err, diff(want[0], got))
	}
	if _, err := s.DeleteMapping(ctx, testAddr); !isErr(err, ErrNotFound) {
		t.Errorf("DeleteMapping again: %v, want ErrNotFound", err)
	}
	if _, err := s.CreateMapping(ctx, testMapping(testAddr, time.Hour)); err != nil {
		t.Errorf("CreateMapping on a freed port: %v", err)
	}
	if _, err := s.CreateMapping(ctx, testMapping(netip.MustParseAddrPort("127.0.0.1:10081"), -time.Second)); err == nil {
		t.Error("CreateMapping of one that has ended: no error")
	}
	if _, err := s.CreateMapping(ctx, Mapping{}); err == nil {
		t.Error("CreateMapping without an address: no error")
	}
}

func TestCreateOnce(t *testing.T) {
	ctx := testContext(t)
	s := openStore(t, Config{})
	var created atomic.Int32
	var tries sync.WaitGroup
	for range 20 {
		tries.Go(func() {
			_, err := s.CreateMapping(ctx, testMapping(testAddr, time.Hour))
			switch {
			case err == nil:
				created.Add(1)
			case !isErr(err, ErrExists):
				t.Error(err)
			}
		})
	}
	tries.Wait()
	if n := created.Load(); n != 1 {
		t.Errorf("created %d times", n)
	}
}

// clock is a time that the test moves.
type clock struct{ offset atomic.Int64 }

func (c *clock) now() time.Time          { return time.Now().Add(time.Duration(c.offset.Load())) }
func (c *clock) advance(d time.Duration) { c.offset.Add(int64(d)) }

func TestEndedMappings(t *testing.T) {
	ctx := testContext(t)
	var c clock
	s := openStore(t, Config{Now: c.now})
	first, err := s.CreateMapping(ctx, testMapping(testAddr, 30*time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	c.advance(31 * time.Minute)
	if _, err := s.Mapping(ctx, testAddr); !isErr(err, ErrNotFound) {
		t.Errorf("Mapping after the end: %v, want ErrNotFound", err)
	}
	if list, err := s.Mappings(ctx); err != nil || len(list) != 0 {
		t.Errorf("Mappings after the end: %v, %v", list, err)
	}
	if _, err := s.DeleteMapping(ctx, testAddr); !isErr(err, ErrNotFound) {
		t.Errorf("DeleteMapping after the end: %v, want ErrNotFound", err)
	}
	if _, err := s.ExtendMapping(ctx, first, c.now().Add(time.Hour)); !isErr(err, ErrNotFound) {
		t.Errorf("ExtendMapping after the end: %v, want ErrNotFound", err)
	}
	if list, err := s.Ended(ctx); err != nil || diff([]Mapping{first}, list) != "" {
		t.Errorf("Ended: %v, %v", list, err)
	}
	var expired atomic.Int32
	var nodes sync.WaitGroup
	for range 3 {
		nodes.Go(func() {
			if err := s.ExpireMapping(ctx, first); err == nil {
				expired.Add(1)
			} else if !isErr(err, ErrNotFound) {
				t.Error(err)
			}
		})
	}
	nodes.Wait()
	if n := expired.Load(); n != 1 {
		t.Errorf("expired %d times, want once", n)
	}

	// A new mapping takes the port of one that has ended, even before ExpireMapping.
	if _, err = s.CreateMapping(ctx, testMapping(testAddr, time.Hour)); err != nil {
		t.Fatal(err)
	}
	c.advance(time.Hour)
	m := testMapping(testAddr, 3*time.Hour)
	if m, err = s.CreateMapping(ctx, m); err != nil {
		t.Fatalf("CreateMapping over an ended one: %v", err)
	}
	if err := s.ExpireMapping(ctx, first); !isErr(err, ErrNotFound) {
		t.Errorf("ExpireMapping of the replaced one: %v, want ErrNotFound", err)
	}
	if got, err := s.Mapping(ctx, testAddr); err != nil || got.Revision != m.Revision {
		t.Errorf("Mapping: %+v, %v", got, err)
	}
}

func TestExtendConflict(t *testing.T) {
	ctx := testContext(t)
	s := openStore(t, Config{})
	m, err := s.CreateMapping(ctx, testMapping(testAddr, time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	longer, err := s.ExtendMapping(ctx, m, m.ExpiresAt.Add(time.Hour))
	if err != nil || longer.Duration != 2*time.Hour || !longer.ExpiresAt.Equal(m.ExpiresAt.Add(time.Hour)) {
		t.Fatalf("ExtendMapping: %+v, %v", longer, err)
	}
	if _, err := s.ExtendMapping(ctx, m, m.ExpiresAt.Add(time.Hour)); !isErr(err, ErrConflict) {
		t.Errorf("with the old revision: %v, want ErrConflict", err)
	}
	if _, err := s.ExtendMapping(ctx, longer, time.Now().Add(-time.Second)); err == nil {
		t.Error("to a time that is past: no error")
	}
}

// watch runs WatchMappings for the test and returns its events.
func watch(t *testing.T, s *Store) <-chan Event {
	ctx, cancel := context.WithCancel(testContext(t))
	events := make(chan Event, 100)
	var watching sync.WaitGroup
	watching.Go(func() {
		if err := s.WatchMappings(ctx, func(e Event) { events <- e }); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(watching.Wait)
	t.Cleanup(cancel)
	return events
}

func awaitEvent(t *testing.T, events <-chan Event, kind EventKind, revision uint64) {
	t.Helper()
	select {
	case e := <-events:
		if e.Kind != kind || e.Mapping.Revision != revision {
			t.Fatalf("event %v of revision %d, want %v of %d", e.Kind, e.Mapping.Revision, kind, revision)
		}
	case <-time.After(patience):
		t.Fatalf("no event %v", kind)
	}
}

func TestWatchMappings(t *testing.T) {
	ctx := testContext(t)
	var c clock
	s := openStore(t, Config{Now: c.now})
	create := func(d time.Duration) Mapping {
		t.Helper()
		m := testMapping(testAddr, d)
		m.CreatedAt = c.now()
		m, err := s.CreateMapping(ctx, m)
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	m := create(time.Hour)
	events := watch(t, s)
	awaitEvent(t, events, MappingCreated, m.Revision)
	longer, err := s.ExtendMapping(ctx, m, m.ExpiresAt.Add(time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	awaitEvent(t, events, MappingExtended, longer.Revision)
	if _, err := s.DeleteMapping(ctx, testAddr); err != nil {
		t.Fatal(err)
	}
	awaitEvent(t, events, MappingDeleted, longer.Revision)

	m = create(time.Hour)
	awaitEvent(t, events, MappingCreated, m.Revision)
	c.advance(2 * time.Hour)
	if err := s.ExpireMapping(ctx, m); err != nil {
		t.Fatal(err)
	}
	awaitEvent(t, events, MappingExpired, m.Revision)

	m = create(3 * time.Hour)
	awaitEvent(t, events, MappingCreated, m.Revision)
	c.advance(2 * time.Hour)
	next := create(9 * time.Hour) // over the ended one
	awaitEvent(t, events, MappingExpired, m.Revision)
	awaitEvent(t, events, MappingCreated, next.Revision)
}

// TestTTL: the bucket itself removes an entry some time after its end, also after ExtendMapping, also after a restart.
func TestTTL(t *testing.T) {
	ctx := testContext(t)
	dir := t.TempDir()
	began := time.Now() // the store's own time stands still, so that nothing has ended for it however slow the machine is; the bucket's goes on
	cfg := Config{Dir: dir, ExpiryGrace: time.Nanosecond, Now: func() time.Time { return began }}
	s, err := Open(ctx, cfg)
	if err != nil {
		t.Fatal(err)
	}
	var want []Mapping
	for i, addr := range []string{"127.0.0.1:10001", "127.0.0.1:10002"} {
		m, err := s.CreateMapping(ctx, testMapping(netip.MustParseAddrPort(addr), 3*time.Second))
		if err == nil && i == 1 {
			m, err = s.ExtendMapping(ctx, m, m.ExpiresAt.Add(time.Second))
		}
		if err != nil {
			t.Fatal(err)
		}
		want = append(want, m)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = openStore(t, cfg)
	entries, err := s.mappings.WatchAll(ctx) // shows the marker of one that is gone already, too
	if err != nil {
		t.Fatal(err)
	}
	defer entries.Stop()
	ends := make(map[string]time.Time)
	for _, m := range want {
		ends[mappingKey(m.Addr())] = m.ExpiresAt
	}
	for len(ends) > 0 {
		select {
		case <-ctx.Done():
			t.Fatalf("entries that stay: %v", ends)
		case e := <-entries.Updates():
			if e == nil || e.Operation() == jetstream.KeyValuePut {
				continue
			}
			if now := time.Now(); now.Before(ends[e.Key()]) {
				t.Errorf("entry %s went at %v, before its end %v", e.Key(), now, ends[e.Key()])
			}
			delete(ends, e.Key())
		}
	}
}

// What the server has not answered is told apart from what it has refused.
func TestUnsure(t *testing.T) {
	ctx := testContext(t)
	s := openStore(t, Config{})
	m, err := s.CreateMapping(ctx, testMapping(testAddr, time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	writes := func() map[string]error {
		_, create := s.CreateMapping(ctx, testMapping(testAddr, time.Hour))
		_, extend := s.ExtendMapping(ctx, Mapping{IP: m.IP, Port: m.Port}, m.ExpiresAt.Add(time.Hour))
		_, spend := s.SpendMapping(ctx, Mapping{IP: m.IP, Port: m.Port}, "a")
		_, remove := s.DeleteMapping(ctx, netip.MustParseAddrPort("127.0.0.1:1"))
		return map[string]error{"create": create, "extend": extend, "spend": spend, "delete": remove, "expire": s.ExpireMapping(ctx, Mapping{IP: m.IP, Port: m.Port})}
	}
	for name, err := range writes() {
		if err == nil || isErr(err, ErrUnsure) {
			t.Errorf("%s that the server refuses: %v", name, err)
		}
	}
	s.conn.Close()
	for name, err := range writes() {
		if !isErr(err, ErrUnsure) {
			t.Errorf("%s without a server: %v", name, err)
		}
	}
	if err := s.removeMapping(ctx, m); !isErr(err, ErrUnsure) {
		t.Errorf("removing without a server: %v", err)
	}
	if _, err := s.putMapping(ctx, mappingKey(testAddr), nil, m.Revision, 0); !isErr(err, ErrUnsure) {
		t.Errorf("putting without a server: %v", err)
	}
}
