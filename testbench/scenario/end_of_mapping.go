package scenario

import (
	"context"
	"fmt"
	"time"

	"minato/relay/relayapi"
	"minato/testbench/env"
)

var expiry = Scenario{
	Name: "expiry",
	Doc:  "When a mapping's time is up, its live connections are cut and its port is closed, on time.",
	On:   both,
	Run: func(ctx context.Context, e *env.Env) error {
		m, err := mapFor(ctx, e, 5900, env.MapOptions{TLS: true, Duration: 4})
		if err != nil {
			return err
		}
		if err := expectEnds(ctx, m, relayapi.AuditExpired, func() error { return nil }); err != nil {
			return err
		}
		if late := time.Since(time.UnixMilli(m.ExpiredTime)); late < 0 {
			return fmt.Errorf("the connection was cut %s before the mapping's time was up", -late)
		}
		return nil
	},
}

var deletion = Scenario{
	Name: "delete",
	Doc:  "Deleting a mapping cuts its live connections and closes its port.",
	On:   both,
	Run: func(ctx context.Context, e *env.Env) error {
		m, err := mapFor(ctx, e, 5900, env.MapOptions{TLS: true})
		if err != nil {
			return err
		}
		return expectEnds(ctx, m, relayapi.AuditDeleted, func() error { return m.Delete(ctx) })
	},
}

// expectEnds opens a connection to the device's screen, ends the mapping, and wants the connection cut, the port closed and the end in the audit log.
func expectEnds(ctx context.Context, m *env.Mapping, entryType string, end func() error) error {
	c, err := openScreen(ctx, m)
	if err != nil {
		return err
	}
	defer c.Close()
	if err := end(); err != nil {
		return err
	}
	if err := expectCut(ctx, c); err != nil {
		return err
	}
	if _, err := m.AwaitAudit(ctx, entryType, func(entry relayapi.NapterAuditLogEntry) bool { return entry.Type == entryType }); err != nil {
		return err
	}
	return expectRefusedPort(ctx, m)
}
