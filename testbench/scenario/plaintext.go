package scenario

import (
	"context"
	"fmt"

	"minato/testbench/check"
	"minato/testbench/env"
)

// plaintext is a protocol with the option OFF: the bytes pass as they are, which is right on a private network and warned of elsewhere.
type plaintext struct {
	name, doc string
	port      int
	check     string
}

var plaintexts = []plaintext{
	{"http-plaintext", "With the option OFF a plain HTTP client reads the device's page as it is.", 80, "http"},
	{"vnc-plaintext", "With the option OFF a VNC viewer reaches the device's screen without a tunnel.", 5900, "vnc"},
	{"modbus-plaintext", "With the option OFF a Modbus/TCP client reads the device's registers without a tunnel.", 502, "modbus"},
}

func (p plaintext) scenario() Scenario {
	return Scenario{
		Name: p.name, Doc: p.doc, On: userspace,
		Run: func(ctx context.Context, e *env.Env) error {
			m, err := mapFor(ctx, e, p.port, env.MapOptions{})
			if err != nil {
				return err
			}
			return run(ctx, e, m, p.check, check.Options{})
		},
	}
}

var sshThroughTunnel = Scenario{
	Name: "ssh-through-tunnel",
	Doc:  "The option ON is no wall for SSH: through a tunnel, which ends TLS at the relay, a login and a command work.",
	On:   userspace,
	Run: func(ctx context.Context, e *env.Env) error {
		m, err := mapFor(ctx, e, 22, env.MapOptions{TLS: true})
		if err != nil {
			return err
		}
		if len(m.Warnings) == 0 || m.Warnings[0].Code != "W19" {
			return fmt.Errorf("the relay warned of %v, wanted W19: most who do this have no tunnel", m.Warnings)
		}
		return throughTunnel(ctx, e, m, func(ctx context.Context, address string) error {
			return runOver(ctx, e, dialTCP(address), "ssh", check.Options{SSH: check.SSHOptions{
				User: env.SSHUser, PrivateKey: e.SSHKey.PEM, Command: "echo through", Contains: "through",
			}})
		})
	},
}
