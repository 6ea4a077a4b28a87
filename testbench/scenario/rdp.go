package scenario

import (
	"context"

	"minato/testbench/check"
	"minato/testbench/env"
)

func withRDP(c *env.Config) { c.Services = append(c.Services, env.RDPService()) }

var rdpPassthrough = Scenario{
	Name:  "rdp-passthrough",
	Doc:   "With the option OFF an RDP client's X.224 connection request is confirmed by the device.",
	On:    both,
	Setup: withRDP,
	Run: func(ctx context.Context, e *env.Env) error {
		m, err := mapFor(ctx, e, 3389, env.MapOptions{})
		if err != nil {
			return err
		}
		return run(ctx, e, m, "rdp", check.Options{})
	},
}

var rdpTLSRefused = Scenario{
	Name:  "rdp-tls-refused",
	Doc:   "RDP with the TLS option ON is refused by an orderly FIN without a byte, and the audit log says that it was RDP.",
	On:    both,
	Setup: withRDP,
	Run: func(ctx context.Context, e *env.Env) error {
		m, err := mapFor(ctx, e, 3389, env.MapOptions{TLS: true})
		if err != nil {
			return err
		}
		c, err := m.Dial(ctx)
		if err != nil {
			return err
		}
		defer c.Close()
		if _, err := c.Write(env.RDPRequest); err != nil {
			return err
		}
		if err := expectOrderlyEnd(ctx, c); err != nil {
			return err
		}
		_, err = m.AwaitRefusal(ctx, "R02")
		return err
	},
}
