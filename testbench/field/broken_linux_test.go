package field_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"minato/relay"
	"minato/relay/relayapi"
	"minato/testbench/access"
	"minato/testbench/env"
	"minato/testbench/report"
)

// A broken set-up, and what the check has to say first.
type broken struct {
	name  string
	set   func(t *testing.T, u *user)
	row   string // the first that fails
	code  string
	says  string // part of the sentence
	cures string // part of the cure
}

func (b broken) run(t *testing.T, u user) {
	t.Helper()
	b.set(t, &u)
	patience := time.Duration(0) // the usual one: a busy machine is slow
	if b.code == "R18" {         // which waits for its end
		patience = 10 * time.Second
	}
	run, err := u.check(t, patience).Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range run.Results {
		if r.Status != report.Fail {
			continue
		}
		if r.Name != b.row || r.Code != b.code || !strings.Contains(r.Err, b.says) || !strings.Contains(r.Hint, b.cures) || r.Hint == "" {
			t.Errorf("row %q, code %q, %q, cure %q\nwant %q, %q, %q, %q\n%s", r.Name, r.Code, r.Err, r.Hint, b.row, b.code, b.says, b.cures, screen(run))
		}
		for _, line := range r.Log {
			if strings.Contains(line.Text, errors.ErrUnsupported.Error()) {
				t.Errorf("the log has a word of the program's own: %q", line.Text)
			}
		}
		return
	}
	t.Errorf("nothing failed:\n%s", screen(run))
}

// refusing is a firewall that refuses in the place of some addresses.
func refusing(some func(address string) bool) func(context.Context, string, string) (net.Conn, error) {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		if some(address) {
			return nil, &net.OpError{Op: "dial", Net: network, Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
		}
		return new(net.Dialer).DialContext(ctx, network, address)
	}
}

func shifted(by time.Duration) func() time.Time {
	return func() time.Time { return time.Now().Add(by) }
}

// TestBrokenSetUps: the check names the real cause in each.
func TestBrokenSetUps(t *testing.T) {
	t.Parallel()
	e := world(t, nil)
	for _, b := range []broken{
		{"relay is down", func(t *testing.T, u *user) {
			u.dial = refusing(func(string) bool { return true })
		}, "relay", "K33", "refuses connections", "is the relay running"},
		{"name is unknown", func(t *testing.T, u *user) {
			u.url = "http://relay.invalid:8080"
			u.dial = func(context.Context, string, string) (net.Conn, error) {
				return nil, &net.OpError{Op: "dial", Err: &net.DNSError{Err: "no such host", Name: "relay.invalid", IsNotFound: true}}
			}
		}, "relay", "K33", `"relay.invalid" is not known`, "typing error"},
		{"a guest network's log-in page answers", func(t *testing.T, u *user) {
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "<html>log in", http.StatusForbidden) }))
			t.Cleanup(srv.Close)
			u.url = srv.URL
		}, "relay", "K33", "not the relay's API", "log-in page"},
		{"high ports are blocked", func(t *testing.T, u *user) {
			u.dial = refusing(func(address string) bool { return address != e.Address.API })
		}, "http", "K33", "the relay's API is reached, but its port", "firewall"},
		{"clock is an hour slow", func(t *testing.T, u *user) { u.now = shifted(-time.Hour) },
			"clock", "K34", "behind the relay's", "set this computer's clock"},
		{"relay's CA is not installed", func(t *testing.T, u *user) { u.ca = "" },
			"certificate", "K35", "not signed by an authority", "--ca FILE"},
		{"key is wrong", func(t *testing.T, u *user) { u.key.Secret = "secret-wrong" },
			"key", "K36", "does not accept the key", "key file"},
		{"key may only look", func(t *testing.T, u *user) {
			k, err := u.relay(t).API.CreateKey(t.Context(), relayapi.CreateKeyRequest{Role: "viewer"})
			if err != nil {
				t.Fatal(err)
			}
			u.key = access.Key{ID: k.AuthKeyID, Secret: k.AuthKey}
		}, "mappings", "K36", "not allowed", "operator"},
		{"SIM is unknown", func(t *testing.T, u *user) { u.sim = "8981999999999999999" },
			"SIM", "MNT0005", "no SIM 8981999999999999999", "8981100000000000002"},
		{"another program of Minato answers", func(t *testing.T, u *user) { u.url = "http://" + e.Address.Control },
			"key", "K33", "not the relay's API", "check the URL"},
		{"a range that is none", func(t *testing.T, u *user) { u.sources = []string{"foo"} },
			"mappings", "MNT0002", `"foo" is not allowed`, "correct what it names"},
		{"SSH behind the TLS option", func(t *testing.T, u *user) { u.services = "http=22" },
			"http", "R01", "speaks SSH", "OFF"},
		{"plaintext where TLS is expected", func(t *testing.T, u *user) { u.services = "https=80" },
			"https", "R07", "device speaks plaintext", "ON"},
		{"TLS twice", func(t *testing.T, u *user) { u.services = "http=443" },
			"http", "R08", "speaks TLS itself", "OFF"},
		{"nothing listens", func(t *testing.T, u *user) { u.services = fmt.Sprintf("modbus=%d", noPort) },
			"modbus", "R09", "refused", "nothing listens"},
		{"own address is outside", func(t *testing.T, u *user) { u.sources = []string{"203.0.113.0/24"} },
			"address", "R12", "your address is 127.0.0.1", "VPN"},
		{"somebody deletes the mapping", func(t *testing.T, u *user) {
			admin := u.relay(t).API
			u.services = "ssh"
			u.dial = func(ctx context.Context, network, address string) (net.Conn, error) {
				if address != e.Address.API {
					all, err := admin.ListPortMappings(ctx)
					for _, m := range all {
						if m.Endpoint == address {
							err = errors.Join(err, admin.DeletePortMapping(ctx, m.IPAddress, m.Port))
						}
					}
					if err != nil {
						return nil, err
					}
				}
				return new(net.Dialer).DialContext(ctx, network, address)
			}
		}, "ssh", "R13", "has ended", "make a new one"},
		{"the service hangs up", func(t *testing.T, u *user) { u.services = fmt.Sprintf("ssh=%d", hangsUpPort) },
			"ssh", "R17", "closed it without a byte", "allow list"},
		{"large packets are lost", func(t *testing.T, u *user) { u.services = fmt.Sprintf("http=%d", stallsPort) },
			"http", "R18", "large ones never", "MTU"},
	} {
		t.Run(b.name, func(t *testing.T) {
			t.Parallel()
			b.run(t, of(t, e))
		})
	}
	t.Cleanup(func() { expectNoMapping(t, of(t, e), nil) }) // after the parallel ones
}

// TestBrokenAPICertificate: the API speaks TLS, and its certificate is not believed.
func TestBrokenAPICertificate(t *testing.T) {
	t.Parallel()
	e := world(t, func(c *relay.Config) { c.APITLS = true })
	for _, b := range []broken{
		{"relay's CA is not installed", func(t *testing.T, u *user) { u.ca = "" },
			"relay", "K35", "not signed by an authority", "--ca FILE"},
		{"clock is years fast", func(t *testing.T, u *user) { u.now = shifted(3 * 365 * 24 * time.Hour) },
			"relay", "K34", "ahead of the relay's", "set this computer's clock"},
		{"clock is years slow", func(t *testing.T, u *user) { u.now = shifted(-3 * 365 * 24 * time.Hour) },
			"relay", "K34", "behind the relay's", "set this computer's clock"},
		{"https is missing in the URL", func(t *testing.T, u *user) { u.url = "http://" + e.Address.API },
			"relay", "K33", "not the relay's API", "URL"},
	} {
		t.Run(b.name, func(t *testing.T) {
			u := of(t, e)
			u.url = "https://" + e.Address.API
			b.run(t, u)
		})
	}
}

// TestBrokenDevice: what the device's link does, in the order in which it gets worse.
func TestBrokenDevice(t *testing.T) {
	t.Parallel()
	const most = 3
	others := map[string]bool{}
	e := world(t, func(c *relay.Config) { c.MaxPerSIM, c.DialTimeout = most, 5*time.Second },
		"probe: {target: none}\n") // with it the agent finds the silent link dead after 6 s, and then the SIM is offline
	c, err := e.Client(0)
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range []broken{
		{"others use all connections", func(t *testing.T, u *user) {
			m, err := c.Map(t.Context(), 22, env.MapOptions{})
			if err != nil {
				t.Fatal(err)
			}
			for range most {
				conn, err := m.Dial(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { conn.Close() })
				if _, err := io.ReadFull(conn, make([]byte, 4)); err != nil {
					t.Fatal(err)
				}
			}
			others[m.Endpoint] = true
			u.services = "ssh"
		}, "ssh", "R16", "limit", "close some"},
		{"the device does not answer", func(t *testing.T, u *user) {
			if err := e.Inject(t.Context(), "silent-link", nil); err != nil {
				t.Fatal(err)
			}
		}, "http", "R10", "did not answer", "firewall"},
		{"the SIM is offline", func(t *testing.T, u *user) {
			if err := errors.Join(e.ClearFaults(t.Context()), e.Inject(t.Context(), "sim-out", nil)); err != nil {
				t.Fatal(err)
			}
			if err := env.Await(t.Context(), "the SIM to be offline", func() (bool, error) {
				sim, err := e.ReadSIM(t.Context())
				return !sim.Online, err
			}); err != nil {
				t.Fatal(err)
			}
		}, "SIM", "R11", "no session", "antenna"},
	} {
		t.Run(b.name, func(t *testing.T) {
			b.run(t, of(t, e))
			expectNoMapping(t, of(t, e), others)
		})
	}
}
