package store

import (
	"bufio"
	"context"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// killDir is set in the environment of the child that TestKill kills.
const killDir = "STORE_TEST_KILL_DIR"

// TestKillChild is the child of TestKill: it works without end and prints what was acknowledged.
func TestKillChild(t *testing.T) {
	dir := os.Getenv(killDir)
	if dir == "" {
		return // a test of its own only as a child
	}
	ctx := context.Background()
	s, err := Open(ctx, Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	for port := uint16(10000); ; port++ {
		addr := netip.AddrPortFrom(testAddr.Addr(), port)
		m, err := s.CreateMapping(ctx, testMapping(addr, time.Hour))
		if err != nil {
			t.Fatal(err)
		}
		if err := s.AppendAuditSync(ctx, Entry{Type: Created, Time: m.CreatedAt, SIMID: m.SIMID, Destination: addr}); err != nil {
			t.Fatal(err)
		}
		fmt.Println("created", port)
		if port%3 == 0 {
			if _, err := s.DeleteMapping(ctx, addr); err != nil {
				t.Fatal(err)
			}
			fmt.Println("deleted", port)
		}
		if port%3 == 1 {
			if _, err := s.ExtendMapping(ctx, m, m.ExpiresAt.Add(time.Hour)); err != nil {
				t.Fatal(err)
			}
			fmt.Println("extended", port)
		}
	}
}

// TestKill: what was acknowledged is there after kill -9 in the middle of the work.
func TestKill(t *testing.T) {
	dir := t.TempDir()
	child := exec.Command(os.Args[0], "-test.run=^TestKillChild$")
	child.Env = append(os.Environ(), killDir+"="+dir)
	stdout, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	child.Stderr = os.Stderr
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	stuck := time.AfterFunc(patience, func() { child.Process.Kill() })
	defer stuck.Stop()
	said := make(map[uint16]string)
	acknowledged := 0
	for lines := bufio.NewScanner(stdout); lines.Scan(); {
		var port uint16
		word, _, _ := strings.Cut(lines.Text(), " ")
		if _, err := fmt.Sscanf(lines.Text(), word+" %d", &port); err != nil {
			t.Errorf("child says %q", lines.Text())
		}
		said[port] = word
		if acknowledged++; acknowledged == 200 {
			child.Process.Kill() // and read what it said until then
		}
	}
	child.Wait()
	if acknowledged < 200 {
		t.Fatalf("the child ended after %d acknowledgements", acknowledged)
	}

	ctx := testContext(t)
	s := openStore(t, Config{Dir: dir})
	last := uint16(10000 + len(said) - 1)
	for port, word := range said {
		m, err := s.Mapping(ctx, netip.AddrPortFrom(testAddr.Addr(), port))
		switch {
		case word == "deleted" && !isErr(err, ErrNotFound):
			t.Errorf("port %d: deleted, now %+v, %v", port, m, err)
		case word == "created" && port != last && err != nil, word == "extended" && err != nil: // the last may have gone on
			t.Errorf("port %d: %s, now %v", port, word, err)
		case word == "extended" && m.Duration != 2*time.Hour:
			t.Errorf("port %d: extended, now %v", port, m.Duration)
		}
	}
	audited := make(map[uint16]bool)
	for q := (Query{Type: Created, Limit: 1000}); ; {
		list, next, err := s.Audit(ctx, q)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range list {
			audited[e.Destination.Port()] = true
		}
		if q.Before = next; next == "" {
			break
		}
	}
	for port := range said {
		if !audited[port] {
			t.Errorf("port %d: no CREATED in the audit log", port)
		}
	}
}
