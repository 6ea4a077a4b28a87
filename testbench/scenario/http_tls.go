package scenario

import (
	"context"
	"fmt"

	"minato/relay/relayapi"
	"minato/testbench/check"
	"minato/testbench/env"
)

var httpTLS = Scenario{
	Name: "http-tls",
	Doc:  "A plain HTTP page on the device is read over TLS, and the audit log has the connection with its bytes and TLS version.",
	On:   both,
	Run: func(ctx context.Context, e *env.Env) error {
		m, err := mapFor(ctx, e, 80, env.MapOptions{TLS: true})
		if err != nil {
			return err
		}
		if err := run(ctx, e, m, "http", check.Options{HTTP: check.HTTPOptions{Path: "/", Contains: "<html"}}); err != nil {
			return err
		}
		closed, err := m.AwaitAudit(ctx, "the end of the connection", func(entry relayapi.NapterAuditLogEntry) bool {
			return entry.Type == relayapi.AuditClosed
		})
		if err != nil {
			return err
		}
		if closed.BytesDown == 0 || closed.BytesUp == 0 || closed.TLSVersion == "" || closed.Code != "" {
			return fmt.Errorf("the audit entry %+v does not tell bytes both ways, a TLS version and no cause", closed)
		}
		return nil
	},
}
