package env

import (
	"context"
	"fmt"
	"time"

	"minato/relay/relayapi"
)

// pollInterval is how often Await looks. What it waits for is behind another program's API, which has no event to wait on.
const pollInterval = 10 * time.Millisecond

// Await asks done until it is true, and fails with what it waited for when ctx ends first.
func Await(ctx context.Context, what string, done func() (bool, error)) error {
	tick := time.NewTicker(pollInterval)
	defer tick.Stop()
	for {
		ok, err := done()
		if ok && err == nil {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			if err != nil {
				return fmt.Errorf("waiting for %s: %w (last: %w)", what, context.Cause(ctx), err)
			}
			return fmt.Errorf("waiting for %s: %w", what, context.Cause(ctx))
		}
	}
}

// AwaitAudit waits for an entry of the mapping in the audit log.
func (m *Mapping) AwaitAudit(ctx context.Context, what string, match func(relayapi.NapterAuditLogEntry) bool) (relayapi.NapterAuditLogEntry, error) {
	var found relayapi.NapterAuditLogEntry
	err := Await(ctx, "the audit log to show "+what, func() (bool, error) {
		entries, _, err := m.Client.API.AuditLogs(ctx, relayapi.AuditQuery{IMSI: m.Client.env.SIM().IMSI, Limit: 1000})
		for _, entry := range entries {
			if entry.Direction.DestinationPort == int64(m.Port) && match(entry) {
				found = entry
				return true, nil
			}
		}
		return false, err
	})
	if err == nil {
		m.Client.env.Step("audit log", "type", found.Type, "code", found.Code, "reason", found.Reason, "protocol", found.Protocol)
	}
	return found, err
}

// AwaitRefusal waits for the audit log to name why a connection was refused.
func (m *Mapping) AwaitRefusal(ctx context.Context, code string) (relayapi.NapterAuditLogEntry, error) {
	return m.AwaitAudit(ctx, "a refusal "+code, func(entry relayapi.NapterAuditLogEntry) bool { return entry.Code == code })
}

// Step writes a line of the story into the scenario's log.
func (e *Env) Step(text string, args ...any) { e.log.Info(text, args...) }
