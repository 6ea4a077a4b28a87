package field_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"minato/relay"
	"minato/testbench/access"
	"minato/testbench/env"
	"minato/testbench/field"
	"minato/testbench/report"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// Ports of a device whose services are broken.
const (
	hangsUpPort = 7001 // accepts, and closes without a byte
	stallsPort  = 7002 // a page whose small answers pass, and large ones never do
	noPort      = 9    // nothing listens there
)

// world is a whole path with a device that has good and broken services, shared by tests that change nothing of it.
func world(t *testing.T, change func(*relay.Config), agentMore ...string) *env.Env {
	t.Helper()
	e, err := env.Start(t.Context(), env.Config{Dir: t.TempDir(), AgentMore: strings.Join(agentMore, ""), Relay: func(c *relay.Config) {
		c.RememberEnded = 100
		if change != nil {
			change(c)
		}
	}, Services: []env.Service{
		{Name: "hangs-up", Port: hangsUpPort, Handle: func(net.Conn) {}},
		{Name: "stalls", Port: stallsPort, Handle: stall},
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	return e
}

// stall answers HEAD, and of a page only what a lost packet would leave of it: nothing.
func stall(c net.Conn) {
	in := bufio.NewReader(c)
	for {
		req, err := http.ReadRequest(in)
		if err != nil {
			return
		}
		if req.Method == http.MethodHead {
			io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n")
			continue
		}
		io.Copy(io.Discard, in) // until the client gives up
		return
	}
}

// user is how a technician calls the check.
type user struct {
	url      string
	key      access.Key
	sim      string
	ca       string
	services string
	sources  []string
	dial     func(ctx context.Context, network, address string) (net.Conn, error)
	now      func() time.Time
}

// of is a user who makes no mistake.
func of(t *testing.T, e *env.Env) user {
	t.Helper()
	id, secret := e.Key()
	ca := filepath.Join(e.Dir, "relay", "ca.pem")
	if _, err := os.Stat(ca); err != nil {
		t.Fatal(err)
	}
	return user{url: "http://" + e.Address.API, key: access.Key{ID: id, Secret: secret}, sim: e.SIM().ID, ca: ca, services: "http"}
}

func (u user) relay(t *testing.T) *access.Relay {
	t.Helper()
	r, err := access.New(access.Config{URL: u.url, Key: u.key, CAFile: u.ca, Dial: u.dial, Now: u.now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	return r
}

func (u user) check(t *testing.T, patience time.Duration) *field.Check {
	t.Helper()
	services, err := field.ParseServices(strings.Split(u.services, ","))
	if err != nil {
		t.Fatal(err)
	}
	c, err := field.New(field.Config{Relay: u.relay(t), SIM: u.sim, Services: services, Sources: u.sources, Patience: patience, Late: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// screen is what the user sees.
func screen(run report.Run) string {
	var b strings.Builder
	for _, r := range run.Results {
		field.WriteRow(&b, r)
		for _, l := range r.Log {
			fmt.Fprintf(&b, "          %s\n", l.Text)
		}
	}
	return b.String()
}

// expectNoMapping wants the check to have left nothing; others are mappings that it has not made.
func expectNoMapping(t *testing.T, u user, others map[string]bool) {
	t.Helper()
	all, err := u.relay(t).API.ListPortMappings(context.WithoutCancel(t.Context()))
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range all {
		if others[m.Endpoint] {
			continue
		}
		t.Errorf("the mapping %s to port %d is left", m.Endpoint, m.Destination.Port)
	}
}
