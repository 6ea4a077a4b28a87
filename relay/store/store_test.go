package store

import (
	"context"
	"net/netip"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/nats-io/nats-server/v2/server"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience bounds every wait of these tests, on a loaded machine too.
const patience = time.Minute

func testContext(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return ctx
}

func openStore(t testing.TB, cfg Config) *Store {
	t.Helper()
	if cfg.Dir == "" && cfg.URL == "" {
		cfg.Dir = t.TempDir()
	}
	s, err := Open(testContext(t), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

var testAddr = netip.MustParseAddrPort("127.0.0.1:10022")

// testMapping ends after d. Times are whole milliseconds, as the API's are.
func testMapping(addr netip.AddrPort, d time.Duration) Mapping {
	now := time.Now().Truncate(time.Millisecond).UTC()
	return Mapping{
		IP: addr.Addr(), Port: addr.Port(), SIMID: "8981100000000000001", Strategy: StrategyDynamic, DevicePort: 22,
		CreatedAt: now, ExpiresAt: now.Add(d), Duration: d, OperatorID: "OP0012345678",
		Sources: []netip.Prefix{netip.MustParsePrefix("203.0.113.0/24"), netip.MustParsePrefix("2001:db8::/32")},
	}
}

// Prefix and Addr have unexported fields.
var compareNetip = cmpopts.EquateComparable(netip.Addr{}, netip.Prefix{}, netip.AddrPort{})

func diff[T any](want, got T) string { return cmp.Diff(want, got, compareNetip) }

func TestOpen(t *testing.T) {
	tests := []struct {
		name string
		cfg  Config
		want string
	}{
		{"nothing", Config{}, "opening store: neither Dir nor URL is set"},
		{"node", Config{Dir: "x", Node: "a.b"}, `opening store: node "a.b": letters, digits and - are allowed, 64 at most`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := Open(t.Context(), tt.cfg); err == nil || err.Error() != tt.want {
				t.Errorf("error %v, want %q", err, tt.want)
			}
		})
	}
	t.Run("folder in use", func(t *testing.T) {
		dir := t.TempDir()
		openStore(t, Config{Dir: dir})
		if s, err := Open(t.Context(), Config{Dir: dir}); err == nil {
			s.Close()
			t.Error("the same folder was opened twice")
		}
	})
	t.Run("no cluster there", func(t *testing.T) {
		if _, err := Open(t.Context(), Config{URL: "nats://127.0.0.1:1"}); err == nil {
			t.Error("no error")
		}
	})
}

func TestReopen(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new")
	ctx := testContext(t)
	want := testMapping(testAddr, time.Hour)
	for round := range 2 {
		s, err := Open(ctx, Config{Dir: dir})
		if err != nil {
			t.Fatal(err)
		}
		if round == 0 {
			if want, err = s.CreateMapping(ctx, want); err != nil {
				t.Error(err)
			}
		}
		got, err := s.Mapping(ctx, testAddr)
		if err != nil {
			t.Error(err)
		}
		if diff := diff(want, got); diff != "" {
			t.Errorf("mapping (-want +got):\n%s", diff)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if err := s.AppendAudit(ctx, Entry{Type: Access, Time: time.Now()}); err != ErrClosed {
			t.Errorf("AppendAudit after Close: %v", err)
		}
	}
}

// startServer starts a server that the store did not start.
func startServer(t *testing.T) *server.Server {
	t.Helper()
	srv, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: -1, JetStream: true, StoreDir: t.TempDir(), NoSigs: true, NoLog: true})
	if err != nil {
		t.Fatal(err)
	}
	srv.Start()
	t.Cleanup(func() { srv.Shutdown(); srv.WaitForShutdown() })
	if !srv.ReadyForConnections(patience) {
		t.Fatal("server not ready")
	}
	return srv
}

// TestCluster runs the store against a server that it did not start.
func TestCluster(t *testing.T) {
	srv := startServer(t)
	ctx := testContext(t)
	var nodes []*Store
	for _, name := range []string{"a", "b"} {
		s, err := Open(ctx, Config{URL: srv.ClientURL(), Node: name})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		nodes = append(nodes, s)
	}
	a, b := nodes[0], nodes[1]
	m, err := a.CreateMapping(ctx, testMapping(testAddr, time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.CreateMapping(ctx, testMapping(testAddr, time.Hour)); !isErr(err, ErrExists) {
		t.Errorf("second node: %v, want ErrExists", err)
	}
	if got, err := b.DeleteMapping(ctx, testAddr); err != nil || got.Revision != m.Revision {
		t.Errorf("second node deletes %+v, %v", got, err)
	}
	want := appendEntries(t, 300, func(i int) (*Store, Entry) {
		return nodes[i/50%2], Entry{Type: Access, SIMID: "1", IMSI: "2"}
	})
	checkAudit(t, b, Query{SIMID: "1", Limit: 70}, want)
	first := []byte(nil)
	for _, s := range nodes {
		got, err := s.Secret(ctx, "token", func() ([]byte, error) { return []byte(s.cfg.Node), nil })
		if first == nil {
			first = got
		}
		if err != nil || string(got) != string(first) {
			t.Errorf("secret %q, %v; want %q", got, err, first)
		}
	}
}

// How long entries are kept is the configuration's, also of a log that is there.
func TestRetention(t *testing.T) {
	dir := t.TempDir()
	for _, age := range []time.Duration{24 * time.Hour, 48 * time.Hour} {
		s, err := Open(testContext(t), Config{Dir: dir, AuditAge: age, CallAge: 2 * age})
		if err != nil {
			t.Fatal(err)
		}
		for _, as := range s.audit.streams() {
			if got := as.stream.CachedInfo().Config.MaxAge; got != age {
				t.Errorf("%s keeps entries for %v, want %v", as.name, got, age)
			}
		}
		if got := s.calls.CachedInfo().Config.MaxAge; got != 2*age {
			t.Errorf("calls are kept for %v, want %v", got, 2*age)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
