package scenario

import (
	"context"
	"fmt"

	"minato/testbench/env"
)

var sshPassthrough = Scenario{
	Name: "ssh-passthrough",
	Doc:  "With the option OFF a real OpenSSH client logs in to the device with its key and runs a command.",
	On:   both,
	Run: func(ctx context.Context, e *env.Env) error {
		m, err := mapFor(ctx, e, 22, env.MapOptions{Sources: anywhere(e)})
		if err != nil {
			return err
		}
		cmd, err := sshCommand(ctx, e, m, "echo", "hello from $(the device)")
		if err != nil {
			return err
		}
		out, err := cmd.Output()
		if err != nil {
			return fmt.Errorf("ssh: %w", err)
		}
		return expectContains("the device's shell", out, "hello from")
	},
}

// anywhere allows every address of the internet side, since a real program picks its own on loopback.
func anywhere(e *env.Env) []string {
	if e.Net == env.Userspace {
		return nil
	}
	return []string{"127.0.0.0/8"}
}
