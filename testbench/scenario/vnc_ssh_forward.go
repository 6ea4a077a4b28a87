package scenario

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"

	"minato/testbench/env"
)

var vncSSHForward = Scenario{
	Name:  "vnc-ssh-forward",
	Doc:   "The other way the field does it: the option OFF, a real ssh -L, and VNC inside; a port that the device does not list is refused.",
	On:    kernel,
	Setup: withVNCPassword,
	Run: func(ctx context.Context, e *env.Env) error {
		m, err := mapFor(ctx, e, 22, env.MapOptions{Sources: anywhere(e)})
		if err != nil {
			return err
		}
		accept, err := env.FreePort()
		if err != nil {
			return err
		}
		unlisted, err := env.FreePort()
		if err != nil {
			return err
		}
		private, err := e.Listen(func(c net.Conn) { io.WriteString(c, "for this device alone") })
		if err != nil {
			return err
		}
		return e.While(ctx, func(ctx context.Context) error {
			cmd, err := sshCommand(ctx, e, m, "-N", "-o", "ExitOnForwardFailure=yes",
				"-L", accept+":127.0.0.1:5900", "-L", unlisted+":"+private)
			if err != nil {
				return err
			}
			return cmd.Run()
		}, func(ctx context.Context) error {
			if err := awaitPort(ctx, accept); err != nil {
				return err
			}
			if err := viewScreen(ctx, e, accept); err != nil {
				return err
			}
			c, err := dialTCP(unlisted)(ctx)
			if err != nil {
				return err
			}
			defer c.Close()
			// ssh closes the local connection when the far end refuses the channel.
			if err := expectOrderlyEnd(ctx, c); err != nil && !strings.Contains(err.Error(), "reset") {
				return errors.Join(errors.New("forwarding to a port that the device does not list"), err)
			}
			return nil
		})
	},
}
