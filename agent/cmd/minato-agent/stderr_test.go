package main

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"minato/agent"
)

// A log that nobody reads any more, as behind `| tee` over a connection that dropped, ends no agent: it goes on, and says good-bye to its modem.
func TestClosedStderr(t *testing.T) {
	dir := t.TempDir()
	file, socket := filepath.Join(dir, "agent.yaml"), filepath.Join(dir, "agent.sock")
	text := fmt.Sprintf("modem: {port: /dev/no-such-modem}\nservices: [{port: 22, target: 'tcp://127.0.0.1:22'}]\nbackoff: {min: 10ms, max: 10ms}\nstatus_socket: %q\n", socket)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0], asProgram, "run", "-c", file)
	log, err := cmd.StderrPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill() })
	if _, err := bufio.NewReader(log).ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	client, rounds := agent.NewClient(socket), 0
	awaitRounds := func(n int) {
		t.Helper()
		for rounds < n {
			select {
			case err := <-ended:
				t.Fatalf("it ended: %v", err)
			case <-time.After(2 * time.Millisecond):
			case <-t.Context().Done():
				t.Fatalf("%d rounds", rounds)
			}
			if s, err := client.Status(t.Context()); err == nil { // its socket may not be open yet
				rounds = s.Rounds
			}
		}
	}
	awaitRounds(1)
	log.Close()
	awaitRounds(rounds + 3) // each writes some lines
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
