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
		m, err := mapFor(ctx, e, 5900, env.MapOptions{TLS: true})
		if err != nil {
			return err
		}
		short, err := mapFor(ctx, e, 5900, env.MapOptions{TLS: true, Duration: 2}) // nobody connects: on a busy machine it would be too late
		if err != nil {
			return err
		}
		var end time.Time
		if err := expectEnds(ctx, m, relayapi.AuditExpired, func() (err error) { end, err = expireSoon(ctx, m); return err }); err != nil {
			return err
		}
		if late := time.Since(end); late < 0 {
			return fmt.Errorf("the connection was cut %s before the mapping's time was up", -late)
		}
		expired, err := short.AwaitAudit(ctx, "the end of the short mapping", isType(relayapi.AuditExpired))
		if err != nil {
			return err
		}
		if early := short.ExpiredTime - expired.CreatedAt; early > 0 {
			return fmt.Errorf("the short mapping ended %d ms before its time was up", early)
		}
		return expectRefusedPort(ctx, short)
	},
}

// expireSoon lets a mapping end 2 s from now, however late the story is, and gives the time of its end.
func expireSoon(ctx context.Context, m *env.Mapping) (time.Time, error) {
	soon, err := m.Client.API.ExtendPortMapping(ctx, m.IPAddress, m.Port, 2)
	if err != nil {
		return time.Time{}, err
	}
	return time.UnixMilli(soon.ExpiredTime), nil
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
	if _, err := m.AwaitAudit(ctx, entryType, isType(entryType)); err != nil {
		return err
	}
	return expectRefusedPort(ctx, m)
}

func isType(entryType string) func(relayapi.NapterAuditLogEntry) bool {
	return func(entry relayapi.NapterAuditLogEntry) bool { return entry.Type == entryType }
}
