package scenario

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"minato/testbench/check"
	"minato/testbench/env"
)

// The agent's binaries for Raspberry Pis, run by qemu's user mode: link, services, and recovery from the loss of the link.
var (
	armAgent   = onProcessor("arm-agent", "the oldest Raspberry Pi (ARMv6)", "qemu-arm-static", "arm")
	arm64Agent = onProcessor("arm64-agent", "a Raspberry Pi with 64 bits", "qemu-aarch64-static", "arm64")
)

// onProcessor is the story of the agent's binary in bin/DIR, run by a qemu.
func onProcessor(name, device, qemu, dir string) Scenario {
	return Scenario{
		Name: name,
		Doc: "The agent's binary for " + device + ", run by qemu, brings the link up on the emulator's PTYs, serves page, registers and screen, " +
			"and comes back after NO CARRIER.",
		On: kernel,
		Setup: func(c *env.Config) {
			withVNCPassword(c)
			c.Agent = []string{qemu, filepath.Join(dir, "minato-agent")}
		},
		Timeout: 4 * time.Minute,
		Run: func(ctx context.Context, e *env.Env) error {
			if err := linkUp.Run(ctx, e); err != nil {
				return err
			}
			m, err := mapFor(ctx, e, 80, env.MapOptions{TLS: true})
			if err != nil {
				return err
			}
			for _, s := range []struct {
				port int
				name string
				o    check.Options
			}{
				{80, "http", check.Options{HTTP: check.HTTPOptions{Path: "/", Contains: "<html"}}},
				{502, "modbus", check.Options{}},
				{5900, "vnc", check.Options{VNC: check.VNCOptions{Password: vncPassword}}},
			} {
				m, err := mapFor(ctx, e, s.port, env.MapOptions{TLS: true})
				if err != nil {
					return err
				}
				if err := run(ctx, e, m, s.name, s.o); err != nil {
					return fmt.Errorf("service on port %d: %w", s.port, err)
				}
			}
			return loseLink(ctx, e, m)
		},
	}
}
