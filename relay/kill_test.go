package relay

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"minato/relay/relayapi"
)

// killDir is set in the environment of the child that TestKill kills.
const killDir = "RELAY_TEST_KILL_DIR"

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

// killed is what the API has answered so far.
type killed struct {
	mu      sync.Mutex
	there   map[int]bool  // guarded by mu: ports of answered creates; false: its delete was answered
	unsure  map[int]bool  // guarded by mu: ports whose delete was asked for and not answered
	created map[int]int   // guarded by mu: answered creates of each port
	deleted map[int]int   // guarded by mu: answered deletes of each port
	times   map[int]int64 // guarded by mu: createdTime of the last answered create of each port
	calls   int           // guarded by mu
}

// TestKill: whenever the relay is killed, an answered create is there on its port afterwards, an answered delete is not, and the audit log has each.
func TestKill(t *testing.T) {
	const rounds, perRound = 20, 50
	dir := t.TempDir()
	said := &killed{there: map[int]bool{}, unsure: map[int]bool{}, created: map[int]int{}, deleted: map[int]int{}, times: map[int]int64{}}
	transport := &http.Transport{}
	client := &relayapi.Client{HTTPClient: &http.Client{Transport: transport, Timeout: patience}}
	for round := range rounds + 1 {
		child := startChild(t, dir, client)
		said.check(t, client)
		if round == rounds {
			said.checkAudit(t, client)
		} else {
			said.work(t, client, perRound, child)
		}
		child.Process.Kill()
		child.Wait()
		transport.CloseIdleConnections()
		if t.Failed() {
			t.Fatalf("in round %d", round)
		}
	}
	if said.calls < rounds*perRound {
		t.Errorf("%d calls were answered", said.calls)
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

// work creates and deletes from several goroutines, and kills the relay in the middle of it.
func (k *killed) work(t *testing.T, client *relayapi.Client, calls int, child *exec.Cmd) {
	k.mu.Lock()
	until := k.calls + calls
	k.mu.Unlock()
	var working sync.WaitGroup
	for range 4 {
		working.Go(func() { // ends when the relay is gone
			for {
				if !k.one(t, client) {
					return
				}
				k.mu.Lock()
				done := k.calls >= until
				k.mu.Unlock()
				if done {
					child.Process.Kill() // while the others are in the middle of a call
				}
			}
		})
	}
	working.Wait()
}

// one makes one call and notes its answer; false: there was none.
func (k *killed) one(t *testing.T, client *relayapi.Client) bool {
	port := 0
	k.mu.Lock()
	if rand.IntN(3) == 0 {
		for p, there := range k.there {
			if there && !k.unsure[p] {
				port = p
				k.unsure[p] = true
				break
			}
		}
	}
	k.mu.Unlock()
	if port != 0 {
		if err := client.DeletePortMapping(t.Context(), "127.0.0.77", port); err != nil {
			return false
		}
		k.mu.Lock()
		defer k.mu.Unlock()
		k.there[port] = false
		delete(k.unsure, port)
		k.deleted[port]++
		k.calls++
		return true
	}
	hours := 7200
	m, err := client.CreatePortMapping(t.Context(), relayapi.CreatePortMappingRequest{Destination: relayapi.Destination{SIMID: simA, Port: 80}, Duration: &hours})
	if err != nil {
		return false
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.there[m.Port] = true
	k.created[m.Port]++
	k.times[m.Port] = m.CreatedTime
	k.calls++
	return true
}

// check compares what is there with what was answered.
func (k *killed) check(t *testing.T, client *relayapi.Client) {
	t.Helper()
	list, err := client.ListPortMappings(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	found, born := map[int]bool{}, map[int]int64{}
	for _, m := range list {
		found[m.Port], born[m.Port] = true, m.CreatedTime
		conn, err := net.Dial("tcp", m.Endpoint)
		if err != nil {
			t.Errorf("port %d is stored, and closed: %v", m.Port, err)
			continue
		}
		conn.Close()
	}
	for port, there := range k.there {
		switch {
		case k.unsure[port]: // either is right; what is found is what holds
			k.there[port] = found[port]
			delete(k.unsure, port)
		case there && !found[port]:
			t.Errorf("port %d: its create was answered, and it is gone", port)
		case !there && found[port] && born[port] == k.times[port]:
			t.Errorf("port %d: its delete was answered, and it is back", port)
		case !there && found[port]: // another, whose create was under way at the kill
			k.there[port] = true
		}
	}
}

// checkAudit looks for each answered call in the audit log.
func (k *killed) checkAudit(t *testing.T, client *relayapi.Client) {
	t.Helper()
	logged := map[string]int{}
	for _, typ := range []string{relayapi.AuditCreated, relayapi.AuditDeleted} {
		for q := (relayapi.AuditQuery{Type: typ, Limit: 1000}); ; {
			list, next, err := client.ConnectionLogs(t.Context(), q)
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range list {
				logged[fmt.Sprint(typ, e.Direction.DestinationPort)]++
			}
			if q.LastEvaluatedKey = next; next == "" {
				break
			}
		}
	}
	for typ, answered := range map[string]map[int]int{relayapi.AuditCreated: k.created, relayapi.AuditDeleted: k.deleted} {
		for port, n := range answered {
			if got := logged[fmt.Sprint(typ, port)]; got < n {
				t.Errorf("port %d: %d %s answered, %d in the audit log", port, n, typ, got)
			}
		}
	}
}
