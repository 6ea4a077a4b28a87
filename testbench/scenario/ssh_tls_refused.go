package scenario

import (
	"context"
	"errors"
	"fmt"
	"os/exec"

	"minato/testbench/env"
)

var sshTLSRefused = Scenario{
	Name: "ssh-tls-refused",
	Doc:  "The commonest mistake, SSH with the TLS option ON: a real OpenSSH client gets an orderly FIN and not one byte, and the audit log says why.",
	On:   []env.Net{env.Namespace, env.Userspace},
	Run: func(ctx context.Context, e *env.Env) error {
		m, err := mapFor(ctx, e, 22, env.MapOptions{TLS: true, Sources: anywhere(e)})
		if err != nil {
			return err
		}
		cmd, err := sshCommand(ctx, e, m, "echo", "never")
		if err != nil {
			return err
		}
		out, err := cmd.Output()
		var exit *exec.ExitError
		if !errors.As(err, &exit) || exit.ExitCode() != 255 {
			return fmt.Errorf("ssh printed %q and ended with %v, wanted exit status 255", out, err)
		}
		entry, err := m.AwaitRefusal(ctx, "R01")
		if err != nil {
			return err
		}
		if entry.Protocol == "" || entry.Reason == "" {
			return fmt.Errorf("the audit entry %+v names no protocol or no reason", entry)
		}
		e.AfterCapture(func() error { return expectOrderlyRefusal(e.Internet.Capture(), m.Port) })
		return nil
	},
}
