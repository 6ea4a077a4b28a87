package scenario

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"time"

	"minato/testbench/env"
)

var vncStunnel = Scenario{
	Name:  "vnc-stunnel",
	Doc:   "The same through the real stunnel with a client configuration of five lines.",
	On:    kernel,
	Setup: withVNCPassword,
	Run: func(ctx context.Context, e *env.Env) error {
		stunnel, err := env.Tool("stunnel", "stunnel4")
		if err != nil {
			return err
		}
		m, err := mapFor(ctx, e, 5900, env.MapOptions{TLS: true, Sources: []string{"127.0.0.0/8"}})
		if err != nil {
			return err
		}
		accept, err := env.FreePort()
		if err != nil {
			return err
		}
		conf := filepath.Join(e.Dir, "stunnel.conf")
		text := fmt.Sprintf("foreground = yes\n[vnc]\nclient = yes\naccept = %s\nconnect = %s\n", accept, m.Endpoint)
		if err := os.WriteFile(conf, []byte(text), 0o644); err != nil {
			return err
		}
		return e.While(ctx, func(ctx context.Context) error {
			return e.Command(ctx, stunnel, conf).Run()
		}, func(ctx context.Context) error {
			if err := awaitPort(ctx, accept); err != nil {
				return err
			}
			return viewScreen(ctx, e, accept)
		})
	},
}

// awaitPort waits until a program listens on an address of this machine.
func awaitPort(ctx context.Context, address string) error {
	return env.Await(ctx, "a listener on "+address, func() (bool, error) {
		c, err := net.DialTimeout("tcp", address, time.Second)
		if err != nil {
			return false, err
		}
		return true, c.Close()
	})
}
