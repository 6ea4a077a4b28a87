package scenario

import (
	"context"
	"os/exec"
	"strconv"

	"minato/testbench/env"
)

// sshCommand prepares a real OpenSSH client to the mapping, with the key that the device knows.
func sshCommand(ctx context.Context, e *env.Env, m *env.Mapping, args ...string) (*exec.Cmd, error) {
	ssh, err := env.Tool("ssh", "openssh-client")
	if err != nil {
		return nil, err
	}
	door, err := m.Door()
	if err != nil {
		return nil, err
	}
	options := []string{
		"-F", "none", "-i", e.SSHKey.File, "-o", "IdentitiesOnly=yes", "-o", "BatchMode=yes",
		"-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "GlobalKnownHostsFile=/dev/null",
		"-p", strconv.Itoa(int(door.Port())), "-l", env.SSHUser, door.Addr().String(),
	}
	return e.Command(ctx, ssh, append(options, args...)...), nil
}
