package scenario

import (
	"context"
	"fmt"
	"time"

	"minato/testbench/check"
	"minato/testbench/env"
)

var bulkIntegrity = Scenario{
	Name:    "bulk-integrity",
	Doc:     "64 MiB each way arrive unchanged (SHA-256), with the TLS option ON and OFF.",
	On:      kernel,
	Timeout: 10 * time.Minute, // with the race detector on a busy machine
	Run: func(ctx context.Context, e *env.Env) error {
		for _, tls := range []bool{true, false} {
			m, err := mapFor(ctx, e, 80, env.MapOptions{TLS: tls})
			if err != nil {
				return err
			}
			o := check.Options{Timeout: -1, Bulk: check.BulkOptions{Size: 64 << 20, Seed: e.Seed}}
			if err := run(ctx, e, m, "bulk", o); err != nil {
				return fmt.Errorf("with the TLS option %v: %w", tls, err)
			}
		}
		return nil
	},
}
