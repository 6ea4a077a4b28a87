package relay

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"minato/relay/relayapi"
	"minato/relay/relaytest"
)

// killDir is set in the environment of the child that TestKill kills.
const killDir = "RELAY_TEST_KILL_DIR"

// killCalls is an environment variable with the number of calls before each kill, for a longer run: 1000 in make soak.
const killCalls = "RELAY_TEST_KILL_CALLS"

// TestKillChild is the child of TestKill: a relay that tells its key and its address, and serves until it is killed.
func TestKillChild(t *testing.T) {
	dir := os.Getenv(killDir)
	if dir == "" {
		return // a test of its own only as a child
	}
	r, err := New(Config{
		Dir: dir, API: "127.0.0.1:0", Directory: testSIMs, CallRate: 100_000,
		MappingIP:    netip.MustParseAddr("127.0.0.77"), // whose ports no other test takes
		Network:      networkFunc(func(context.Context, string, uint16) (net.Conn, error) { return nil, ErrOffline }),
		BootstrapKey: func(id, secret string) { fmt.Println("key", id, secret) },
	})
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		<-r.Ready()
		fmt.Println("ready", r.APIAddr())
	}()
	if err := r.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
}

// TestKill: whenever the relay is killed, an answered create is there on its port afterwards, an answered delete is not, and the audit log has each.
func TestKill(t *testing.T) {
	const rounds = 20
	perRound := 50
	if n, err := strconv.Atoi(os.Getenv(killCalls)); err == nil {
		perRound = n
	}
	dir := t.TempDir()
	said := relaytest.NewLedger(simA)
	transport := &http.Transport{}
	client := &relayapi.Client{HTTPClient: &http.Client{Transport: transport, Timeout: patience}}
	for round := range rounds + 1 {
		child := startChild(t, dir, client)
		err := said.Check(t.Context(), client, func(at netip.AddrPort) error {
			conn, err := net.Dial("tcp", at.String())
			if err == nil {
				conn.Close()
			}
			return err
		})
		if err != nil {
			t.Error(err)
		}
		if round == rounds {
			if err := said.CheckAudit(t.Context(), client); err != nil {
				t.Error(err)
			}
		} else {
			said.Work(t.Context(), client, perRound, func() { child.Process.Kill() })
		}
		child.Process.Kill()
		child.Wait()
		transport.CloseIdleConnections()
		if t.Failed() {
			t.Fatalf("in round %d", round)
		}
	}
	if n := said.Calls(); n < rounds*perRound {
		t.Errorf("%d calls were answered", n)
	}
}

// startChild runs a relay in a process of its own until its API answers.
func startChild(t *testing.T, dir string, client *relayapi.Client) *exec.Cmd {
	t.Helper()
	child := exec.Command(os.Args[0], "-test.run=^TestKillChild$")
	child.Env = append(os.Environ(), killDir+"="+dir)
	child.Stderr = os.Stderr
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { child.Process.Kill(); child.Wait() })
	stuck := time.AfterFunc(patience, func() { child.Process.Kill() })
	defer stuck.Stop()
	for lines := bufio.NewScanner(out); lines.Scan(); {
		word, rest, _ := strings.Cut(lines.Text(), " ")
		switch word {
		case "key":
			client.AuthKeyID, client.AuthKey, _ = strings.Cut(rest, " ")
		case "ready":
			client.BaseURL = "http://" + rest
			return child
		}
	}
	t.Fatal("the relay did not start")
	return nil
}
