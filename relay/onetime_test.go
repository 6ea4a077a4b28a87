package relay

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"testing"

	"minato/relay/relayapi"
	"minato/relay/store"
)

// oneTime makes a mapping for one connection.
func (r *testRelay) oneTime() *relayapi.PortMapping {
	r.t.Helper()
	m, err := r.CreatePortMapping(r.t.Context(), relayapi.CreatePortMappingRequest{Destination: relayapi.Destination{SIMID: simA, Port: 80}, OneTime: true})
	if err != nil {
		r.t.Fatal(err)
	}
	return m
}

// cutAll cuts all live connections, as over the API.
func (r *testRelay) cutAll() {
	for _, c := range r.Relay.live.all() {
		c.cut(errCut)
	}
}

// A connection that is cut when the device has just been reached uses nothing up, and the log says that it was cut.
func TestOneTimeCutBeforeUse(t *testing.T) {
	good := device(t, echo)
	var r *testRelay
	cut := make(chan struct{}, 1)
	cut <- struct{}{}
	r = startRelay(t, Config{Network: networkFunc(func(ctx context.Context, sim string, port uint16) (net.Conn, error) {
		conn, err := good.DialSIM(ctx, sim, port)
		select {
		case <-cut:
			r.cutAll()
		default:
		}
		return conn, err
	})})
	m := r.oneTime()
	first := r.dial(m)
	expectCut(t, first)
	if e := r.awaitAuditOf(first); e.Type != relayapi.AuditClosed || e.Code != "" || !strings.Contains(e.CloseReason, errCut.Error()) {
		t.Errorf("audit entry %+v; want CLOSED, cut", e)
	}
	r.expectLife(m, relayapi.AuditCreated)
}

// spendingStore does something else while a mapping is used up.
type spendingStore struct {
	mappingStore
	spend func(do func() (store.Mapping, error)) (store.Mapping, error)
}

func (s spendingStore) SpendMapping(ctx context.Context, m store.Mapping, connection string) (store.Mapping, error) {
	return s.spend(func() (store.Mapping, error) { return s.mappingStore.SpendMapping(ctx, m, connection) })
}

// A connection that is cut while it uses a mapping up takes the mapping with it.
func TestOneTimeCutInUse(t *testing.T) {
	r := startRelay(t, Config{})
	r.written = spendingStore{r.store, func(do func() (store.Mapping, error)) (store.Mapping, error) {
		m, err := do()
		r.cutAll()
		return m, err
	}}
	m := r.oneTime()
	conn := r.dial(m)
	expectCut(t, conn)
	if e := r.awaitAuditOf(conn); e.Type != relayapi.AuditClosed || e.Code != "" || !strings.Contains(e.CloseReason, errCut.Error()) {
		t.Errorf("audit entry %+v; want CLOSED, cut", e)
	}
	r.awaitAudit(relayapi.AuditExpired)
	r.expectLife(m, relayapi.AuditCreated, relayapi.AuditExpired)
}

// An answer that is lost does not keep the connection from going on; a mapping that is used up by it ends with it.
func TestOneTimeWithoutAnswer(t *testing.T) {
	for _, lost := range []string{"question", "answer"} {
		t.Run(lost, func(t *testing.T) {
			r := startRelay(t, Config{})
			lossy := &lossyStore{mappingStore: r.store}
			r.written = lossy
			m := r.oneTime()
			lossy.next(lost)
			conn := r.opened(m)
			expectEOF(t, r.dial(m))
			lossy.next(lost)
			conn.Close()
			r.awaitAudit(relayapi.AuditExpired)
			r.expectLife(m, relayapi.AuditCreated, relayapi.AuditExpired)
		})
	}
}

// What the store says against it is told as it is, and the next connection may try.
func TestOneTimeStoreFails(t *testing.T) {
	r := startRelay(t, Config{})
	full := errors.New("the disk is full")
	r.written = spendingStore{r.store, func(func() (store.Mapping, error)) (store.Mapping, error) { return store.Mapping{}, full }}
	m := r.oneTime()
	conn := r.dial(m)
	io.WriteString(conn, "x")
	expectEOF(t, conn)
	conn.Close()
	if e := r.awaitAuditOf(conn); e.Type != relayapi.AuditClosed || e.Code != "" || !strings.Contains(e.CloseReason, full.Error()) {
		t.Errorf("audit entry %+v; want CLOSED for %v", e, full)
	}
	r.written = r.store
	r.opened(m)
}
