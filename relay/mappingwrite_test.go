package relay

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"minato/relay/relayapi"
	"minato/relay/store"
)

// lossyStore loses what is on its way: the next question, or its answer.
type lossyStore struct {
	mappingStore

	mu   sync.Mutex
	lose string // guarded by mu: question, answer, or nothing
}

func (s *lossyStore) next(lose string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lose = lose
}

// write does what it is asked, unless the question is lost.
func (s *lossyStore) write(do func() (store.Mapping, error)) (store.Mapping, error) {
	s.mu.Lock()
	lose := s.lose
	s.lose = ""
	s.mu.Unlock()
	if lose == "question" {
		return store.Mapping{}, store.ErrUnsure
	}
	m, err := do()
	if lose == "answer" {
		return store.Mapping{}, store.ErrUnsure
	}
	return m, err
}

func (s *lossyStore) CreateMapping(ctx context.Context, m store.Mapping) (store.Mapping, error) {
	return s.write(func() (store.Mapping, error) { return s.mappingStore.CreateMapping(ctx, m) })
}

func (s *lossyStore) ExtendMapping(ctx context.Context, m store.Mapping, end time.Time) (store.Mapping, error) {
	return s.write(func() (store.Mapping, error) { return s.mappingStore.ExtendMapping(ctx, m, end) })
}

func (s *lossyStore) SpendMapping(ctx context.Context, m store.Mapping, connection string) (store.Mapping, error) {
	return s.write(func() (store.Mapping, error) { return s.mappingStore.SpendMapping(ctx, m, connection) })
}

func (s *lossyStore) DeleteMapping(ctx context.Context, addr netip.AddrPort) (store.Mapping, error) {
	return s.write(func() (store.Mapping, error) { return s.mappingStore.DeleteMapping(ctx, addr) })
}

func (s *lossyStore) ExpireMapping(ctx context.Context, m store.Mapping) error {
	_, err := s.write(func() (store.Mapping, error) { return m, s.mappingStore.ExpireMapping(ctx, m) })
	return err
}

// expectLife checks that the store, what is served, the API's list and the audit log agree on a mapping's life. The log's entries of it come oldest first.
func (r *testRelay) expectLife(m *relayapi.PortMapping, want ...string) {
	r.t.Helper()
	exists := !slices.Contains(want, relayapi.AuditDeleted) && !slices.Contains(want, relayapi.AuditExpired)
	addr := netip.MustParseAddrPort(m.Endpoint)
	if _, err := r.store.Mapping(r.t.Context(), addr); (err == nil) != exists {
		r.t.Errorf("in the store: %v; want it there: %v", err, exists)
	}
	list, err := r.ListPortMappings(r.t.Context())
	if listed := slices.ContainsFunc(list, func(l relayapi.PortMapping) bool { return l.Endpoint == m.Endpoint }); err != nil || listed != exists {
		r.t.Errorf("listed %v, %v; want %v", listed, err, exists)
	}
	entries, _, err := r.ConnectionLogs(r.t.Context(), relayapi.AuditQuery{})
	if err != nil {
		r.t.Fatal(err)
	}
	var got []string
	for _, e := range slices.Backward(entries) {
		if e.Direction.DestinationPort == int64(m.Port) && e.ConnectionID == "" {
			got = append(got, e.Type)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		r.t.Errorf("the log of the mapping (-want +got):\n%s", diff)
	}
	if exists {
		r.dial(m).Close() // the last of all: it uses up a mapping for one
	} else {
		expectPortClosed(r.t, m)
	}
}

// A question or an answer that is lost between the relay and its store leaves nothing half done.
func TestStoreWithoutAnswer(t *testing.T) {
	for _, lost := range []string{"question", "answer"} {
		t.Run(lost, func(t *testing.T) {
			clock := newFakeClock()
			r := startRelay(t, Config{Clock: clock})
			lossy := &lossyStore{mappingStore: r.store}
			r.written = lossy

			lossy.next(lost)
			m := r.mapping(false)
			r.expectLife(m, relayapi.AuditCreated)
			lossy.next(lost)
			if err := r.DeletePortMapping(t.Context(), m.IPAddress, m.Port); err != nil {
				t.Error(err)
			}
			r.expectLife(m, relayapi.AuditCreated, relayapi.AuditDeleted)

			m = r.mapping(false)
			lossy.next(lost)
			if extended, err := r.ExtendPortMapping(t.Context(), m.IPAddress, m.Port, 7200); err != nil || extended.ExpiredTime != clock.Now().Add(2*time.Hour).UnixMilli() {
				t.Errorf("extended: %+v, %v", extended, err)
			}
			clock.Advance(time.Hour)
			r.expectLife(m, relayapi.AuditCreated, relayapi.AuditExtended)
			lossy.next(lost)
			clock.Advance(time.Hour)
			r.expectLife(m, relayapi.AuditCreated, relayapi.AuditExtended, relayapi.AuditExpired)
		})
	}
}

// leavingStore is a store whose caller leaves while it is asked.
type leavingStore struct {
	mappingStore
	leave func()
}

func (s leavingStore) CreateMapping(ctx context.Context, m store.Mapping) (store.Mapping, error) {
	m, err := s.mappingStore.CreateMapping(ctx, m)
	s.leave()
	if err == nil {
		err = ctx.Err()
	}
	return m, err
}

func (s leavingStore) DeleteMapping(ctx context.Context, addr netip.AddrPort) (store.Mapping, error) {
	m, err := s.mappingStore.DeleteMapping(ctx, addr)
	s.leave()
	if err == nil {
		err = ctx.Err()
	}
	return m, err
}

// A caller who leaves while a mapping is stored or removed takes nothing back.
func TestCallerLeaves(t *testing.T) {
	r := startRelay(t, Config{})
	auth, err := r.Auth(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	call := func(method, path, body string) {
		ctx, leave := context.WithCancel(t.Context())
		defer leave()
		r.written = leavingStore{r.store, leave}
		req := httptest.NewRequestWithContext(ctx, method, path, strings.NewReader(body))
		req.Header.Set(relayapi.HeaderAPIKey, auth.APIKey)
		req.Header.Set(relayapi.HeaderToken, auth.Token)
		r.apiHandler().ServeHTTP(httptest.NewRecorder(), req)
	}
	call(http.MethodPost, "/v1/port_mappings", `{"destination":{"simId":"`+simA+`","port":80},"source":{"ipRanges":["127.0.0.0/8"]}}`)
	list, err := r.ListPortMappings(t.Context())
	if err != nil || len(list) != 1 {
		t.Fatalf("mappings after a create whose caller left: %v, %v", list, err)
	}
	m := &list[0]
	r.expectLife(m, relayapi.AuditCreated)
	r.opened(m)
	call(http.MethodDelete, "/v1/port_mappings/"+m.IPAddress+"/"+strconv.Itoa(m.Port), "")
	r.expectLife(m, relayapi.AuditCreated, relayapi.AuditDeleted)
}
