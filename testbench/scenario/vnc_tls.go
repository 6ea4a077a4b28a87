package scenario

import (
	"context"

	"minato/testbench/check"
	"minato/testbench/env"
)

var vncTLS = Scenario{
	Name:  "vnc-tls",
	Doc:   "A VNC viewer logs in through our tunnel, sees the device's screen, types, and sees what it typed.",
	On:    both,
	Setup: withVNCPassword,
	Run: func(ctx context.Context, e *env.Env) error {
		m, err := mapFor(ctx, e, 5900, env.MapOptions{TLS: true})
		if err != nil {
			return err
		}
		return throughTunnel(ctx, e, m, func(ctx context.Context, address string) error {
			return viewScreen(ctx, e, address)
		})
	},
}

func withVNCPassword(c *env.Config) { c.VNCPassword = vncPassword }

// viewScreen logs in to the VNC server at a port of this machine, types, and keeps a picture.
func viewScreen(ctx context.Context, e *env.Env, address string) error {
	result, err := check.VNC(ctx, dialTCP(address), check.Options{VNC: check.VNCOptions{Password: vncPassword, Type: "hello"}})
	for _, line := range result.Log {
		e.Step(line.Text, "check", "vnc")
	}
	if err != nil {
		return err
	}
	e.Step(result.Summary, "check", "vnc")
	return e.KeepImage("screen.png", result.Screen)
}
