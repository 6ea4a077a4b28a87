//go:build pi

package pi

import (
	"os/exec"
	"strconv"

	"minato/testbench/env"
)

// logIn is a log-in by OpenSSH's client, through the relay, to the device's own OpenSSH, which the packaged configuration offers.
func (w *world) logIn(client *env.Client) {
	w.Helper()
	m, err := client.Map(w.ctx, 22, env.MapOptions{Sources: []string{"127.0.0.1/32"}}) // where ssh comes from
	if err != nil {
		w.Fatal(err)
	}
	w.tell("port mapping %s, TLS option OFF, to port 22", m.Endpoint)
	w.sh("mkdir -p /root/.ssh && cat >/root/.ssh/authorized_keys <<'END'\n" + w.SSHKey.Authorized + "END")
	door, err := m.Door()
	if err != nil {
		w.Fatal(err)
	}
	said := run(w.T, exec.CommandContext(w.ctx, tool(w.T, "ssh", "openssh-client"), "-F", "none", "-i", w.SSHKey.File,
		"-o", "IdentitiesOnly=yes", "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR",
		"-p", strconv.Itoa(int(door.Port())), "root@127.0.0.1", "hostname; uname -m"))
	w.tell("ssh, logged in through it, says %q", said)
	w.want("the log-in", said, "raspberrypi\naarch64")
	if err := m.Delete(w.ctx); err != nil {
		w.Fatal(err)
	}
}
