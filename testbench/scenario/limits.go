package scenario

import (
	"context"
	"fmt"
	"net"

	"minato/relay"
	"minato/testbench/check"
	"minato/testbench/env"
)

var expiredRemembered = Scenario{
	Name:  "expired-remembered",
	Doc:   "A client that comes after the end is refused in order by the port that was the mapping's, and the log says that its time was up (R13).",
	On:    userspace,
	Setup: func(c *env.Config) { c.Relay = func(c *relay.Config) { c.RememberEnded = 10 } },
	Run: func(ctx context.Context, e *env.Env) error {
		m, err := mapFor(ctx, e, 80, env.MapOptions{})
		if err != nil {
			return err
		}
		if err := m.Delete(ctx); err != nil {
			return err
		}
		if err := expectNothing(ctx, m); err != nil {
			return err
		}
		_, err = m.AwaitRefusal(ctx, "R13")
		return err
	},
}

var tooMany = Scenario{
	Name:  "too-many",
	Doc:   "A mapping takes as many connections as it may and refuses the next in order (R16); those that are open go on, and one that closes makes room.",
	On:    userspace,
	Setup: func(c *env.Config) { c.Relay = func(c *relay.Config) { c.MaxConnections = 3 } },
	Run: func(ctx context.Context, e *env.Env) error {
		m, err := mapFor(ctx, e, 5900, env.MapOptions{})
		if err != nil {
			return err
		}
		var open []net.Conn
		for range 3 {
			c, err := openScreen(ctx, m)
			if err != nil {
				return err
			}
			defer c.Close()
			open = append(open, c)
		}
		if err := expectNothing(ctx, m); err != nil {
			return err
		}
		if _, err := m.AwaitRefusal(ctx, "R16"); err != nil {
			return err
		}
		if _, err := open[1].Write([]byte("RFB 003.008\n")); err != nil {
			return fmt.Errorf("a connection that was open before: %w", err)
		}
		open[0].Close()
		return env.Await(ctx, "room for another connection", func() (bool, error) {
			err := run(ctx, e, m, "vnc", check.Options{})
			return err == nil, err
		})
	},
}

var oneTime = Scenario{
	Name: "one-time",
	Doc:  "A one-time mapping serves one connection to its end and no second one.",
	On:   userspace,
	Run: func(ctx context.Context, e *env.Env) error {
		m, err := mapFor(ctx, e, 80, env.MapOptions{TLS: true, OneTime: true})
		if err != nil {
			return err
		}
		if err := run(ctx, e, m, "http", check.Options{}); err != nil {
			return err
		}
		return env.Await(ctx, "the port to close", func() (bool, error) {
			err := expectRefusedPort(ctx, m)
			return err == nil, err
		})
	},
}
