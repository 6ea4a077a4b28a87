package scenario

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"minato/relay"
	"minato/relay/relayapi"
	"minato/testbench/env"
)

// Ports of services that do not do what they should.
const (
	hangUpPort = 7001
	greedyPort = 7002
	deadPort   = 7003
)

// brokenDevice is a story of a device, or of its line, that is not as the mapping expects: the client's connection ends, and the log says why.
type brokenDevice struct {
	name, doc string
	port      int
	tls       bool
	code      string
	before    func(ctx context.Context, e *env.Env) error // breaks it; nil: it is broken anyway
	client    func(ctx context.Context, m *env.Mapping) error
	after     func(ctx context.Context, e *env.Env) error // what else is to be seen; nil: nothing
}

var brokenDevices = []brokenDevice{
	{"tls-on-plaintext", "With the option OFF a TLS client meets a plaintext device: the log says to turn the option ON (R07).", 80, false, "R07", nil, shakesHands, nil},
	{"double-tls", "With the option ON a device that does TLS itself is reached with TLS ended once too often: the log says OFF (R08).", 443, true, "R08", nil, asksPage, nil},
	{"device-refused", "Nothing listens on the device's port: the connection ends in order, and the log says so (R09).", 9, true, "R09", nil, expectNothing, nil},
	{"device-timeout", "A device that is online and answers nothing: the connection ends in order, and the log says firewall or stale session (R10).", 80, true, "R10",
		func(ctx context.Context, e *env.Env) error { return e.Inject(ctx, "silent-link", nil) }, expectNothing, nil},
	{"sim-offline", "A SIM without a session is not dialled at all: the log says power, antenna, SIM (R11).", 80, true, "R11",
		func(ctx context.Context, e *env.Env) error {
			if err := e.Inject(ctx, "sim-out", nil); err != nil {
				return err
			}
			return env.Await(ctx, "the SIM to be offline", func() (bool, error) {
				sim, err := e.ReadSIM(ctx)
				return !sim.Online, err
			})
		}, expectNothing, nil},
	{"device-hung-up", "A service that accepts and closes without a byte is told from one that is not there (R17).", hangUpPort, true, "R17", nil, expectNothing, nil},
	{"service-down", "The program behind a service of the device does not run: the client's connection ends without a byte (R17), and the agent says which service is down and why.",
		deadPort, true, "R17", nil, expectNothing, saysDown},
	{"stalled", "The first bytes pass, then the device takes no more: the log tells it from a device that is not there (R18).", greedyPort, false, "R18", nil,
		func(ctx context.Context, m *env.Mapping) error {
			c, err := m.Dial(ctx)
			if err != nil {
				return err
			}
			defer c.Close()
			if err := readBanner(c); err != nil {
				return err
			}
			if err := m.Client.Inject(ctx, "silent-link"); err != nil {
				return err
			}
			deadline, _ := ctx.Deadline()
			if err := c.SetWriteDeadline(deadline); err != nil {
				return err
			}
			_, err = io.CopyN(c, endless{}, 64<<20)
			if err == nil {
				return errors.New("64 MiB went to a device that takes nothing")
			}
			return nil
		}, nil},
}

// endless is as many zeros as anyone reads.
type endless struct{}

func (endless) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// expectNothing connects as the option wants it, and wants the end without a byte.
func expectNothing(ctx context.Context, m *env.Mapping) error {
	c, err := m.Dialer()(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	return expectOrderlyEnd(ctx, c)
}

func shakesHands(ctx context.Context, m *env.Mapping) error {
	c, err := m.Dial(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	if err := tls.Client(c, &tls.Config{InsecureSkipVerify: true}).HandshakeContext(ctx); err == nil {
		return errors.New("the device's plaintext port did TLS")
	}
	return nil
}

// asksPage wants no page.
func asksPage(ctx context.Context, m *env.Mapping) error {
	c, err := m.DialTLS(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	if _, err := io.WriteString(c, "GET / HTTP/1.1\r\nHost: device\r\nConnection: close\r\n\r\n"); err != nil {
		return err
	}
	b, _ := io.ReadAll(io.LimitReader(c, 64<<10))
	if len(b) > 12 && string(b[9:12]) == "200" {
		return fmt.Errorf("a plaintext request got %q from a TLS server", b[:20])
	}
	return nil
}

// saysDown wants the agent to tell of the dead service, and of no other.
func saysDown(ctx context.Context, e *env.Env) error {
	status, err := e.AgentStatus(ctx)
	if err != nil {
		return err
	}
	told := false
	for _, s := range status.Services {
		dead := s.Port == deadPort
		if s.Up == dead {
			return fmt.Errorf("the agent says of the service %q: up %v, %q", s.Name, s.Up, s.Error)
		}
		told = told || dead && strings.Contains(s.Error, "refused")
	}
	if !told {
		return fmt.Errorf("the agent does not say why: %+v", status.Services)
	}
	return nil
}

func (b brokenDevice) scenario() Scenario {
	return Scenario{
		Name: b.name, Doc: b.doc, On: userspace,
		Setup: func(c *env.Config) {
			if b.code == "R10" || b.code == "R18" { // whose link is silent: the agent would find it dead after 6 s, and the SIM were offline
				c.AgentMore = "probe: {target: none}\n"
			}
			c.Relay = func(c *relay.Config) {
				switch b.code { // the others wait for nothing, and a busy machine may take its time
				case "R10":
					c.DialTimeout = 2 * time.Second
				case "R18":
					c.StallTimeout = 2 * time.Second
				}
			}
			c.Services = append(c.Services,
				env.Service{Name: "dead", Port: deadPort, Addr: "127.0.0.1:1"},
				env.Service{Name: "hangs-up", Port: hangUpPort, Handle: func(net.Conn) {}},
				env.Service{Name: "greedy", Port: greedyPort, Handle: func(c net.Conn) { io.WriteString(c, "RFB 003.008\n"); io.Copy(io.Discard, c) }})
		},
		Run: func(ctx context.Context, e *env.Env) error {
			m, err := mapFor(ctx, e, b.port, env.MapOptions{TLS: b.tls})
			if err != nil {
				return err
			}
			if b.before != nil {
				if err := b.before(ctx, e); err != nil {
					return err
				}
			}
			if err := b.client(ctx, m); err != nil {
				return err
			}
			entry, err := m.AwaitRefusal(ctx, b.code)
			if err != nil {
				return err
			}
			if entry.Type != relayapi.AuditClosed || entry.Reason == "" {
				return fmt.Errorf("the audit log has %+v, wanted the end of a connection with a reason", entry)
			}
			if b.after != nil {
				return b.after(ctx, e)
			}
			return nil
		},
	}
}
