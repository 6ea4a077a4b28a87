package scenario

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"minato/testbench/check"
	"minato/testbench/env"
)

const fleet = 4

var severalDevices = Scenario{
	Name:  "several-devices",
	Doc:   "Four devices at once: each mapping reaches its own device and no other, all at the same time.",
	On:    userspace,
	Setup: func(c *env.Config) { c.Devices = fleet },
	Run: func(ctx context.Context, e *env.Env) error {
		group, ctx := errgroup.WithContext(ctx)
		for n := range fleet {
			m, err := mapFor(ctx, e, 80, env.MapOptions{TLS: true, Device: n})
			if err != nil {
				return errors.Join(err, group.Wait())
			}
			group.Go(func() error {
				for range 5 {
					if err := run(ctx, e, m, "http", check.Options{HTTP: check.HTTPOptions{Path: "/", Contains: env.DeviceName(n)}}); err != nil {
						return fmt.Errorf("device %d: %w", n, err)
					}
				}
				return nil
			})
		}
		return group.Wait()
	},
}

var neighbourLost = Scenario{
	Name:    "neighbour-lost",
	Doc:     "One device that loses its link disturbs no other: its neighbour's transfer goes on to the last byte.",
	On:      userspace,
	Setup:   func(c *env.Config) { c.Devices = 2 },
	Timeout: 2 * time.Minute,
	Run: func(ctx context.Context, e *env.Env) error {
		m, err := mapFor(ctx, e, 80, env.MapOptions{TLS: true, Device: 1})
		if err != nil {
			return err
		}
		group, groupCtx := errgroup.WithContext(ctx)
		group.Go(func() error {
			return run(groupCtx, e, m, "bulk", check.Options{Timeout: -1, Bulk: check.BulkOptions{Size: 4 << 20, Seed: e.Seed}})
		})
		if err := e.Inject(ctx, "no-carrier", nil); err != nil { // of device 0
			return errors.Join(err, group.Wait())
		}
		return group.Wait()
	},
}

var manyConnections = Scenario{
	Name: "many-connections",
	Doc:  "Forty clients at once through one mapping each get their own answer, whole.",
	On:   userspace,
	Run: func(ctx context.Context, e *env.Env) error {
		m, err := mapFor(ctx, e, 80, env.MapOptions{TLS: true})
		if err != nil {
			return err
		}
		group, ctx := errgroup.WithContext(ctx)
		for n := range 40 {
			group.Go(func() error {
				o := check.Options{Timeout: -1, Bulk: check.BulkOptions{Size: int64(10_000 + 1000*n), Seed: e.Seed + uint64(n)}}
				_, err := check.Bulk(ctx, m.Dialer(), o)
				return err
			})
		}
		return group.Wait()
	},
}
