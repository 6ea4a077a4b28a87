package scenario

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"minato/relay/relayapi"
	"minato/testbench/check"
	"minato/testbench/env"
)

var extend = Scenario{
	Name: "extend",
	Doc:  "A mapping that is extended outlives its first end, with the connection that was open.",
	On:   userspace,
	Run: func(ctx context.Context, e *env.Env) error {
		m, err := mapFor(ctx, e, 5900, env.MapOptions{TLS: true, Duration: 12})
		if err != nil {
			return err
		}
		longer, err := m.Client.API.ExtendPortMapping(ctx, m.IPAddress, m.Port, 610)
		if err != nil {
			return err
		}
		if longer.ExpiredTime-m.ExpiredTime < 590_000 {
			return fmt.Errorf("extended to 610 s, it ends at %d rather than %d", longer.ExpiredTime, m.ExpiredTime)
		}
		screen, err := check.DialVNC(ctx, m.Dialer(), check.VNCOptions{})
		if err != nil {
			return err
		}
		defer screen.Close()
		for time.Now().Before(time.UnixMilli(m.ExpiredTime).Add(time.Second)) { // the screen's clock moves every second
			if _, err := screen.AwaitChange(ctx, screen.Screen()); err != nil {
				return fmt.Errorf("around the first end: %w", err)
			}
		}
		return run(ctx, e, m, "vnc", check.Options{})
	},
}

var cutConnection = Scenario{
	Name: "cut-connection",
	Doc:  "An operator sees a live connection with its bytes, cuts it, and the mapping takes the next one.",
	On:   userspace,
	Run: func(ctx context.Context, e *env.Env) error {
		m, err := mapFor(ctx, e, 5900, env.MapOptions{TLS: true})
		if err != nil {
			return err
		}
		c, err := openScreen(ctx, m)
		if err != nil {
			return err
		}
		defer c.Close()
		var live []relayapi.Connection
		if err := env.Await(ctx, "the live connection with its bytes", func() (bool, error) { // they are counted when they have been sent
			live, err = m.Client.API.Connections(ctx)
			return len(live) == 1 && live[0].BytesDown >= 12, err
		}); err != nil {
			return fmt.Errorf("%w; the live connections are %+v", err, live)
		}
		if live[0].Direction.SourceIPAddress != m.Client.Addr.String() {
			return fmt.Errorf("the live connections are %+v, wanted one from %s", live, m.Client.Addr)
		}
		if err := m.Client.API.CutConnection(ctx, live[0].ConnectionID); err != nil {
			return err
		}
		if err := expectCut(ctx, c); err != nil {
			return err
		}
		closed, err := m.AwaitAudit(ctx, "the end of the connection", func(entry relayapi.NapterAuditLogEntry) bool {
			return entry.Type == relayapi.AuditClosed
		})
		if err != nil {
			return err
		}
		if closed.CloseCode != "cut" {
			return fmt.Errorf("the connection ended with %q, wanted it cut", closed.CloseCode)
		}
		return run(ctx, e, m, "vnc", check.Options{})
	},
}

var keyScope = Scenario{
	Name:  "key-scope",
	Doc:   "A key for one device makes mappings for it, does not even see another, and ends with its revocation.",
	On:    userspace,
	Setup: func(c *env.Config) { c.Devices = 2 },
	Run: func(ctx context.Context, e *env.Env) error {
		admin, err := e.Client(0)
		if err != nil {
			return err
		}
		own, other := e.SIMs()[0], e.SIMs()[1]
		key, err := admin.API.CreateKey(ctx, relayapi.CreateKeyRequest{Name: "technician", Role: "operator", SIMIDs: []string{own.ID}})
		if err != nil {
			return err
		}
		api := &relayapi.Client{BaseURL: admin.API.BaseURL, HTTPClient: admin.API.HTTPClient, AuthKeyID: key.AuthKeyID, AuthKey: key.AuthKey}
		sims, err := api.SIMs(ctx)
		if err != nil {
			return err
		}
		if len(sims) != 1 || sims[0].SIMID != own.ID {
			return fmt.Errorf("the key sees %d SIMs, wanted its own alone", len(sims))
		}
		create := func(sim string) error {
			_, err := api.CreatePortMapping(ctx, relayapi.CreatePortMappingRequest{Destination: relayapi.Destination{SIMID: sim, Port: 80}})
			return err
		}
		if err := create(own.ID); err != nil {
			return err
		}
		var refused *relayapi.Error
		if err := create(other.ID); !errors.As(err, &refused) || refused.Status != http.StatusNotFound {
			return fmt.Errorf("a mapping to another device: %v, wanted 404", err)
		}
		if err := admin.API.RevokeKey(ctx, key.AuthKeyID); err != nil {
			return err
		}
		if err := create(own.ID); !errors.As(err, &refused) || refused.Status != http.StatusUnauthorized {
			return fmt.Errorf("a mapping with the key after its revocation: %v, wanted 401", err)
		}
		return nil
	},
}

var warnings = Scenario{
	Name: "warnings",
	Doc:  "What most often is a mistake is made as asked, with a warning: the TLS option on SSH and HTTPS, minutes for seconds, oneself outside, a plaintext port open to all.",
	On:   userspace,
	Run: func(ctx context.Context, e *env.Env) error {
		for _, w := range []struct {
			code string
			port int
			o    env.MapOptions
		}{
			{"W19", 22, env.MapOptions{TLS: true}},
			{"W20", 443, env.MapOptions{TLS: true}},
			{"W21", 502, env.MapOptions{Sources: []string{"0.0.0.0/0"}}},
			{"W22", 80, env.MapOptions{TLS: true, Duration: 30}},
			{"W23", 80, env.MapOptions{TLS: true, Sources: []string{"192.0.2.0/24"}}},
		} {
			m, err := mapFor(ctx, e, w.port, w.o)
			if err != nil {
				return err
			}
			if len(m.Warnings) != 1 || m.Warnings[0].Code != w.code || m.Warnings[0].Message == "" {
				return fmt.Errorf("port %d, %+v: warned of %+v, wanted %s alone", w.port, w.o, m.Warnings, w.code)
			}
			e.Step("warned", "code", w.code, "message", m.Warnings[0].Message)
		}
		return nil
	},
}
