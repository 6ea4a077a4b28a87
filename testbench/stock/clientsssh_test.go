package stock

import (
	"bytes"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"minato/testbench/env"
)

func testOpenSSH(t *testing.T, s *system) {
	for option, address := range map[string]string{"ON": s.tunnel[portSSH], "OFF": s.off[portSSH].Endpoint} {
		t.Run(option, func(t *testing.T) {
			host, port, err := net.SplitHostPort(address)
			if err != nil {
				t.Fatal(err)
			}
			options := []string{
				"-F", "none", "-i", s.SSHKey.File, "-o", "IdentitiesOnly=yes", "-o", "BatchMode=yes", "-o", "LogLevel=ERROR",
				"-o", "StrictHostKeyChecking=accept-new", "-o", "UserKnownHostsFile=" + filepath.Join(s.Dir, "known_hosts_"+option),
			}
			to := env.SSHUser + "@" + host
			ssh := func(args ...string) []string { return append(append([]string{"-p", port}, options...), args...) }

			cmd := s.command(t, "ssh", "openssh-client", ssh(to, "echo one two; exit")...)
			if got := output(t, cmd); got != "one two; exit\n" { // the sample commands know no ";"
				t.Errorf("exec printed %q", got)
			}

			cmd = s.command(t, "ssh", "openssh-client", ssh("-tt", to)...)
			cmd.Stdin = strings.NewReader("values\nexit 3\n")
			out, err := cmd.Output()
			if got := exitStatus(t, err); got != 3 || !strings.Contains(string(out), "setpoint     60.0 %\r\n") {
				t.Errorf("the shell ended with %d and printed %q", got, out)
			}

			body := noise(200_000)
			file := s.file(t, "sent.bin", body)
			back := filepath.Join(s.Dir, "back.bin")
			scp := func(from, into string) {
				t.Helper()
				output(t, s.command(t, "scp", "openssh-client", append(append([]string{"-P", port}, options...), from, into)...))
			}
			scp(file, to+":"+option+".bin")
			scp(to+":"+option+".bin", back)
			if got, err := os.ReadFile(back); err != nil || !bytes.Equal(got, body) {
				t.Errorf("scp brought back %d other bytes, %v", len(got), err)
			}

			local := freePort(t)
			start(t, s.command(t, "ssh", "openssh-client", ssh("-N", "-o", "ExitOnForwardFailure=yes", "-L", local+":localhost:80", to)...))
			awaitPort(t, s.ctx, local)
			if got := s.curl(t, "http://"+local+"/healthz"); got != "ok\n" {
				t.Errorf("through -L: %q", got)
			}
		})
	}
}

func testMbpoll(t *testing.T, s *system) {
	for option, address := range map[string]string{"ON": s.tunnel[portModbus], "OFF": s.off[portModbus].Endpoint} {
		t.Run(option, func(t *testing.T) {
			host, port, err := net.SplitHostPort(address)
			if err != nil {
				t.Fatal(err)
			}
			mbpoll := func(args ...string) string {
				t.Helper()
				return output(t, s.command(t, "mbpoll", "mbpoll", append([]string{"-m", "tcp", "-p", port, "-a", "1", "-o", "10"}, args...)...))
			}
			mbpoll("-t", "4", "-r", "101", host, "4660") // a register without effect
			if got := mbpoll("-1", "-q", "-t", "4", "-r", "101", "-c", "1", host); !strings.Contains(got, "[101]: \t4660") {
				t.Errorf("read back %q", got)
			}
			if got := mbpoll("-1", "-q", "-t", "4", "-r", "1", "-c", "2", host); !strings.Contains(got, "[1]: \t600") || !strings.Contains(got, "[2]: \t400") {
				t.Errorf("setpoint and valve %q, want 600 and 400", got)
			}
		})
	}
}
