package connect

import (
	"context"
	"errors"
	"io"
	"net"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"minato/testbench/access"
	"minato/testbench/access/accesstest"
	"minato/testbench/env"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// world is a whole path with a relay that any of a test's calls may use.
func world(t *testing.T) (*env.Env, Config) {
	t.Helper()
	e, err := env.Start(t.Context(), env.Config{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	return e, Config{Relay: relayOf(t, e, filepath.Join(e.Dir, "relay", "ca.pem")), SIM: e.SIM().ID, Port: 5900, TLS: true}
}

func relayOf(t *testing.T, e *env.Env, ca string) *access.Relay {
	t.Helper()
	id, secret := e.Key()
	r, err := access.New(access.Config{URL: "http://" + e.Address.API, Key: access.Key{ID: id, Secret: secret}, CAFile: ca})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	return r
}

func expectNoMapping(t *testing.T, e *env.Env) {
	t.Helper()
	all, err := relayOf(t, e, "").API.ListPortMappings(context.WithoutCancel(t.Context()))
	if err != nil || len(all) > 0 {
		t.Errorf("mappings are left: %v, %v", all, err)
	}
}

// TestConnect: a client reaches the device's screen, the mapping is renewed, and goes at the end.
func TestConnect(t *testing.T) {
	e, cfg := world(t)
	for _, tls := range []bool{true, false} {
		ctx, cancel := context.WithCancel(t.Context())
		cfg, renew, lefts := cfg, make(chan struct{}), make(chan time.Duration, 100)
		cfg.TLS, cfg.Renew, cfg.Duration = tls, renew, 600
		opened := make(chan Open, 1)
		cfg.Open, cfg.Left = func(o Open) { opened <- o }, func(left time.Duration) { lefts <- left }
		done := make(chan error, 1)
		go func() { done <- Run(ctx, cfg) }()
		var o Open
		select {
		case o = <-opened:
		case err := <-done:
			t.Fatal(err)
		}
		conn, err := net.Dial("tcp", o.Address.String())
		if err != nil {
			t.Fatal(err)
		}
		banner := make([]byte, 12)
		if _, err := io.ReadFull(conn, banner); err != nil || string(banner[:4]) != "RFB " {
			t.Errorf("option %v: the screen says %q, %v", tls, banner, err)
		}
		conn.Close()
		first := <-lefts
		if first <= 590*time.Second || first > 601*time.Second { // the relay's clock is known to a second
			t.Errorf("%s left at the start of 600 s", first)
		}
		before := o.Mapping.ExpiredTime
		renew <- struct{}{}
		if err := env.Await(t.Context(), "the renewal", func() (bool, error) {
			all, err := cfg.Relay.API.ListPortMappings(ctx)
			return len(all) == 1 && all[0].ExpiredTime > before, err
		}); err != nil {
			t.Error(err)
		}
		cancel()
		if err := <-done; err != nil {
			t.Errorf("interrupted: %v", err)
		}
		expectNoMapping(t, e)
	}
}

// TestViewer: it gets the address, and when it ends all ends.
func TestViewer(t *testing.T) {
	e, cfg := world(t)
	cfg.Viewer = []string{"sh", "-c", "test {host} = 127.0.0.1 && test {port} -gt 0"}
	if err := Run(t.Context(), cfg); err != nil {
		t.Error(err)
	}
	expectNoMapping(t, e)
	cfg.Viewer = []string{"false"}
	if err := Run(t.Context(), cfg); err == nil || !strings.Contains(err.Error(), "the viewer ended with exit status 1") {
		t.Errorf("a viewer that fails: %v", err)
	}
	expectNoMapping(t, e)
}

// TestFailures: each is one sentence with a cure, and leaves nothing.
func TestFailures(t *testing.T) {
	e, good := world(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for _, tt := range []struct {
		name string
		set  func(c *Config)
		code string
		says string
	}{
		{"port in use", func(c *Config) { c.Accept = l.Addr().String() }, "", "another program uses the port"},
		{"missing viewer", func(c *Config) { c.Viewer = []string{"no-such-viewer"} }, "", "is not on this computer"},
		{"untrusted certificate", func(c *Config) { c.Relay = relayOf(t, e, "") }, "", "not signed by an authority"},
		{"nothing listens", func(c *Config) { c.Port = 9 }, "R09", "refused the connection"},
		{"SSH behind the TLS option", func(c *Config) { c.Port = 22 }, "R01", "speaks SSH"},
		{"address outside", func(c *Config) { c.Sources = []string{"203.0.113.0/24"} }, "R12", "outside the mapping's ranges"},
		{"no such SIM", func(c *Config) { c.SIM = "1" }, "MNT0005", "no SIM 1"},
		{"time is up", func(c *Config) {
			var past atomic.Int64
			c.Relay = relayOf(t, e, filepath.Join(e.Dir, "relay", "ca.pem"))
			c.Relay.Now = func() time.Time { return time.Now().Add(time.Duration(past.Load())) }
			c.Open = func(Open) { past.Store(int64(2 * time.Hour)) }
		}, "R13", "time is up"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			cfg := good
			tt.set(&cfg)
			err := Run(t.Context(), cfg)
			if err == nil || !strings.Contains(err.Error(), tt.says) {
				t.Fatalf("error %v, want %q", err, tt.says)
			}
			var p *access.Problem
			if errors.As(err, &p) && (p.Code != tt.code || p.Cure == "") {
				t.Errorf("code %q, cure %q, want %q and a cure", p.Code, p.Cure, tt.code)
			}
			expectNoMapping(t, e)
		})
	}
}

// TestInterrupted ends it at every call of the relay's API, before it is sent and after its answer.
func TestInterrupted(t *testing.T) {
	e, good := world(t)
	for n := 1; ; n++ {
		for _, after := range []bool{false, true} {
			ctx, cancel := context.WithCancel(t.Context())
			cfg := good
			cfg.Relay = relayOf(t, e, filepath.Join(e.Dir, "relay", "ca.pem"))
			end := accesstest.At(cfg.Relay, n, after, cancel)
			cfg.Open = func(Open) { cancel() }
			if err := Run(ctx, cfg); err != nil {
				t.Errorf("call %d: %v", n, err)
			}
			cancel()
			expectNoMapping(t, e)
			if !end.Reached() {
				if n < 4 {
					t.Errorf("%d calls only", n)
				}
				return
			}
		}
	}
}
