package linkmode

import (
	"bytes"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// A shell is the system's own sshd, and the key that may log in.
type shell struct{ dir, ssh string }

// startSSHD runs OpenSSH's server on port 22 of all addresses, as a device does.
func startSSHD(t *testing.T) shell {
	t.Helper()
	sshd := tool(t, "sshd", "openssh-server")
	s := shell{dir: t.TempDir(), ssh: tool(t, "ssh", "openssh-client")}
	for _, name := range []string{"host", "key"} {
		run(t, tool(t, "ssh-keygen", "openssh-client"), "-q", "-t", "ed25519", "-N", "", "-f", filepath.Join(s.dir, name))
	}
	if err := os.MkdirAll("/run/sshd", 0o755); err != nil { // where it puts those who have not logged in
		t.Fatal(err)
	}
	config := filepath.Join(s.dir, "sshd_config")
	write(t, config, strings.ReplaceAll(`Port 22
HostKey DIR/host
AuthorizedKeysFile DIR/key.pub
PermitRootLogin prohibit-password
StrictModes no
UsePAM no
PidFile none
`, "DIR", s.dir), 0o600)
	var log bytes.Buffer
	cmd := exec.Command(sshd, "-D", "-e", "-f", config)
	cmd.Stderr = &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Signal(syscall.SIGTERM)
		cmd.Wait()
		if t.Failed() {
			t.Logf("sshd:\n%s", &log)
		}
	})
	await(t, "sshd", func() (bool, error) {
		c, err := net.Dial("tcp", "127.0.0.1:22")
		if err == nil {
			c.Close()
		}
		return err == nil, err
	})
	return s
}

// login runs a command on the other side.
func (s shell) login(t *testing.T, host, port, command string) string {
	t.Helper()
	return run(t, s.ssh, "-i", filepath.Join(s.dir, "key"), "-p", port, "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=no",
		"-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR", "-F", "/dev/null", "root@"+host, command)
}
