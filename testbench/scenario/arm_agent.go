package scenario

import (
	"context"
	"path/filepath"
	"time"

	"minato/testbench/check"
	"minato/testbench/env"
)

var armAgent = Scenario{
	Name: "arm-agent",
	Doc:  "The agent's binary for the oldest Raspberry Pi (ARMv6), run by qemu, brings the link up on the emulator's PTYs and serves its page.",
	On:   kernel,
	Setup: func(c *env.Config) {
		c.Agent = []string{"qemu-arm-static", filepath.Join("arm", "minato-agent")}
	},
	Timeout: 2 * time.Minute,
	Run: func(ctx context.Context, e *env.Env) error {
		m, err := mapFor(ctx, e, 80, env.MapOptions{TLS: true})
		if err != nil {
			return err
		}
		return run(ctx, e, m, "http", check.Options{HTTP: check.HTTPOptions{Path: "/", Contains: "<html"}})
	},
}
