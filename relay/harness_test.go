package relay

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"minato/relay/relayapi"
)

func TestMain(m *testing.M) {
	// certmagic keeps one rate limiter for each ACME account for as long as the process lives.
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/caddyserver/certmagic.(*RingBufferRateLimiter).loop"))
}

// patience is for what must happen: it only ends a test that has failed.
const patience = 30 * time.Second

const (
	simA, imsiA = "8981100000000000001", "440101234567890"
	simB, imsiB = "8981100000000000002", "440101234567891"
)

type fixedDirectory []SIM

func (d fixedDirectory) SIMs(context.Context) ([]SIM, error) { return d, nil }

var testSIMs = fixedDirectory{
	{ID: simA, IMSI: imsiA, ICCID: simA, MSISDN: "8190", Name: "pump", Online: true, Addr: netip.MustParseAddr("10.128.0.2")},
	{ID: simB, IMSI: imsiB},
}

// networkFunc is a Network.
type networkFunc func(ctx context.Context, simID string, port uint16) (net.Conn, error)

func (f networkFunc) DialSIM(ctx context.Context, simID string, port uint16) (net.Conn, error) {
	return f(ctx, simID, port)
}

// device is a Network of one device: each connection is carried by serve, which must return when its connection ends.
func device(t *testing.T, serve func(*net.TCPConn)) Network {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() {
				defer conn.Close()
				serve(conn.(*net.TCPConn))
			})
		}
	})
	t.Cleanup(func() { l.Close(); wg.Wait() })
	return networkFunc(func(ctx context.Context, _ string, _ uint16) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "tcp", l.Addr().String())
	})
}

func echo(c *net.TCPConn) {
	io.Copy(c, c)
	c.CloseWrite()
}

// fakeClock stands still until it is advanced.
type fakeClock struct {
	mu     sync.Mutex
	now    time.Time
	timers map[*fakeTimer]bool
}

type fakeTimer struct {
	at time.Time // guarded by fakeClock.mu
	f  func()
}

func newFakeClock() *fakeClock {
	return &fakeClock{now: time.Now().Truncate(time.Millisecond), timers: map[*fakeTimer]bool{}}
}

func (c *fakeClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *fakeClock) AfterFunc(d time.Duration, f func()) func() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	t := &fakeTimer{c.now.Add(d), f}
	c.timers[t] = true
	return func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		armed := c.timers[t]
		delete(c.timers, t)
		return armed
	}
}

// Advance moves the time and waits for what it wakes.
func (c *fakeClock) Advance(d time.Duration) {
	c.mu.Lock()
	c.now = c.now.Add(d)
	var wg sync.WaitGroup
	for t := range c.timers {
		if !t.at.After(c.now) {
			delete(c.timers, t)
			wg.Go(t.f)
		}
	}
	c.mu.Unlock()
	wg.Wait()
}

// Set moves the time of day by d, forward or back. Timers fire after the same time as they would have.
func (c *fakeClock) Set(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
	for t := range c.timers {
		t.at = t.at.Add(d)
	}
}

// testRelay is a running relay with its API's client.
type testRelay struct {
	*Relay
	*relayapi.Client
	t    *testing.T
	stop func() // once more does nothing
}

// startRelay runs a relay on loopback until the test ends. What cfg leaves out is filled in.
func startRelay(t *testing.T, cfg Config) *testRelay {
	t.Helper()
	if cfg.Dir == "" {
		cfg.Dir = t.TempDir()
	}
	if cfg.Network == nil {
		cfg.Network = device(t, echo)
	}
	if cfg.Directory == nil {
		cfg.Directory = testSIMs
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelDebug}))
	}
	if cfg.API == "" {
		cfg.API = "127.0.0.1:0"
	}
	if cfg.DrainTimeout == 0 {
		cfg.DrainTimeout = -1
	}
	transport := &http.Transport{}
	client := &relayapi.Client{HTTPClient: &http.Client{Transport: judge{t, transport}, Timeout: patience}}
	if cfg.BootstrapKey == nil {
		cfg.BootstrapKey = func(id, secret string) { client.AuthKeyID, client.AuthKey = id, secret }
	}
	r, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- r.Run(ctx) }()
	stop := sync.OnceFunc(func() {
		cancel()
		transport.CloseIdleConnections()
		if err := <-ended; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	t.Cleanup(stop)
	select {
	case <-r.Ready():
	case err := <-ended:
		ended <- nil
		t.Fatalf("Run: %v", err)
	}
	client.BaseURL = "http://" + r.APIAddr().String()
	return &testRelay{Relay: r, Client: client, t: t, stop: stop}
}

// mapping makes a mapping to SIM A's port 80 that lasts an hour.
func (r *testRelay) mapping(tlsOn bool) *relayapi.PortMapping {
	r.t.Helper()
	hour := 3600
	m, err := r.CreatePortMapping(r.t.Context(), relayapi.CreatePortMappingRequest{
		Destination: relayapi.Destination{SIMID: simA, Port: 80}, Duration: &hour, TLSRequired: tlsOn,
	})
	if err != nil {
		r.t.Fatal(err)
	}
	return m
}

// dial connects to a mapping's port.
func (r *testRelay) dial(m *relayapi.PortMapping) *net.TCPConn {
	r.t.Helper()
	conn, err := net.DialTimeout("tcp", m.Endpoint, patience)
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(patience))
	return conn.(*net.TCPConn)
}

// dialTLS connects to a mapping with the TLS option, trusting the relay's CA.
func (r *testRelay) dialTLS(m *relayapi.PortMapping) *tls.Conn {
	r.t.Helper()
	conn := tls.Client(r.dial(m), &tls.Config{RootCAs: r.roots(), ServerName: m.Hostname})
	if err := conn.Handshake(); err != nil {
		r.t.Fatal(err)
	}
	return conn
}

func (r *testRelay) roots() *x509.CertPool {
	r.t.Helper()
	pem, err := r.CA(r.t.Context())
	if err != nil {
		r.t.Fatal(err)
	}
	return r.rootsOf(pem)
}

func (r *testRelay) rootsOf(pem []byte) *x509.CertPool {
	r.t.Helper()
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		r.t.Fatal("the CA is not a certificate")
	}
	return pool
}

// awaitAudit waits for the newest audit entry of a type and gives it.
func (r *testRelay) awaitAudit(typ string) relayapi.NapterAuditLogEntry {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), patience)
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		entries, _, err := r.AuditLogs(ctx, relayapi.AuditQuery{})
		if err != nil {
			r.t.Fatal(err)
		}
		for _, e := range entries {
			if e.Type == typ {
				return e
			}
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			r.t.Fatalf("no %s in the audit log: %+v", typ, entries)
		}
	}
}

// expectEOF checks that a connection ends in order and without a byte.
func expectEOF(t *testing.T, conn net.Conn) {
	t.Helper()
	b := make([]byte, 100)
	n, err := conn.Read(b)
	if n != 0 || !errors.Is(err, io.EOF) {
		t.Errorf("read %q, %v; want no byte and EOF", b[:n], err)
	}
}
