package main

import (
	"bytes"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"go.uber.org/goleak"

	"minato/agent"
)

// asProgram makes this test binary the program, with the arguments behind.
const asProgram = "as-program"

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == asProgram {
		os.Args = os.Args[1:]
		main()
	}
	goleak.VerifyTestMain(m)
}

func TestCommandLine(t *testing.T) {
	good := filepath.Join(t.TempDir(), "good.yaml")
	if err := os.WriteFile(good, []byte("modem: {port: /dev/no-such-modem}\nservices: [{port: 22, target: 'tcp://127.0.0.1:22'}]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	bad := filepath.Join(t.TempDir(), "bad.yaml")
	if err := os.WriteFile(bad, []byte("modem: {prot: /dev/ttyUSB2}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	config := func(name, text string) string {
		file := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(file, []byte("modem: {port: /dev/no-such-modem}\n"+text), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	shell := config("shell.yaml", "services: [{port: 22, target: builtin:ssh}]\ntargets: {ssh: {shell: /no/such/shell}}\n")
	tun := config("tun.yaml", "link: tun\n")
	hostKey := config("key.yaml", "services: [{port: 22, target: builtin:ssh}]\ntargets: {ssh: {host_key_file: /no/such/folder/key}}\n")
	power := config("power.yaml", "services: [{port: 22, target: 'tcp://127.0.0.1:22'}]\ncures: {power_cycle: [/no/such/switch, cycle]}\n")
	secret := filepath.Join(t.TempDir(), "secret.yaml")
	if err := os.WriteFile(secret, []byte("modem: {port: x, pin_file: /no/such/pin}\nservices: [{port: 22, target: 'tcp://127.0.0.1:22'}]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	absent := filepath.Join(t.TempDir(), "agent.sock")
	tests := []struct {
		args []string
		exit int
		says string
	}{
		{nil, 2, "which command"},
		{[]string{"--help"}, 0, "Examples"},
		{[]string{"--version"}, 0, agent.Version() + "\n"},
		{[]string{"run", "--help"}, 0, "configuration file"},
		{[]string{"walk"}, 2, `no command "walk"`},
		{[]string{"run"}, 2, "needs -c"},
		{[]string{"run", "-c", bad}, 2, "prot"},
		{[]string{"run", "-c", good, "--log-level", "loud"}, 2, "loud"},
		{[]string{"config", "check", good, "--log-level", "debug"}, 0, "good"},
		{[]string{"config", "check", bad}, 2, "[1:9]"},
		{[]string{"config", "check"}, 2, "takes 1 arguments"},
		{[]string{"config"}, 2, "minato-agent config check FILE"},
		{[]string{"config", "check", shell}, 2, "SSH shell"},
		{[]string{"run", "-c", shell}, 2, "SSH shell"},
		{[]string{"config", "check", tun}, 0, "note: link: tun needs state_dir"},
		{[]string{"run", "-c", tun}, 2, "state_dir"},
		{[]string{"run", "-c", tun}, 2, "msg=minato-agent version="},
		{[]string{"config", "check", hostKey}, 0, "note: targets.ssh.host_key_file"},
		{[]string{"config", "check", power}, 0, "switch the modem's power: cures.power_cycle: "},
		{[]string{"config", "check", secret}, 3, "[1:28] modem.pin_file"},
		{[]string{"run", "-c", secret}, 3, "/no/such/pin: no such file"},
		{[]string{"run", "-c", t.TempDir()}, 3, "is a directory"},
		{[]string{"run", "-c", absent}, 2, "no such file"},
		{[]string{"status", "--socket", absent}, 3, "no agent runs"},
		{[]string{"at", "AT+CSQ", "--socket", absent}, 3, "no agent runs, or it has another status_socket: asking the agent"},
		{[]string{"at", "--port", "/dev/no-such-modem", "AT+CSQ"}, 3, "hint: check the cable"},
		{[]string{"restore", "-c", good}, 0, ""},
		{[]string{"restore", "-c", absent}, 2, "agent.sock"},
		{[]string{"at"}, 2, "takes commands"},
		{[]string{"at", "--timeout", "soon", "AT"}, 2, "--timeout"},
		{[]string{"doctor", "-c", good, "--socket", absent}, 1, "FAIL   port [A24]: opening port \"/dev/no-such-modem\""},
		{[]string{"doctor", "--json", "-c", good, "--socket", absent}, 1, `"code": "A24"`},
		{[]string{"modems", "--json=maybe"}, 2, "maybe"},
	}
	for _, tt := range tests {
		t.Run(strings.Join(tt.args, " "), func(t *testing.T) {
			var out bytes.Buffer
			exit := report(&out, run(t.Context(), tt.args, &out, &out))
			if exit != tt.exit || !strings.Contains(out.String(), tt.says) {
				t.Errorf("exit status %d, want %d; output does not say %q:\n%s", exit, tt.exit, tt.says, &out)
			}
		})
	}
}

// TestHangUp: the terminal's end is an end in order, except for a program that was told to ignore it.
func TestHangUp(t *testing.T) {
	hangUps := make(chan os.Signal, 1)
	signal.Notify(hangUps, syscall.SIGHUP) // not ignored from now on, even where the test itself was started with nohup
	ctx, stop := untilEnded()
	defer stop()
	if err := syscall.Kill(os.Getpid(), syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	<-ctx.Done()
	<-hangUps
	signal.Stop(hangUps)
	stop()

	signal.Ignore(syscall.SIGHUP)
	defer signal.Reset(syscall.SIGHUP)
	_, stop = untilEnded()
	defer stop()
	if !signal.Ignored(syscall.SIGHUP) {
		t.Error("SIGHUP is heard, though it was ignored")
	}
}
