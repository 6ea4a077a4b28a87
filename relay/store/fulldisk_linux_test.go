package store

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// fullDiskDir is set in the environment of TestFullDisk's child.
const fullDiskDir = "STORE_TEST_FULL_DISK_DIR"

// TestFullDisk: a disk that takes nothing for a while costs no entry that was not acknowledged before, and stops nothing for good. The child's disk is
// full in that no file may grow (setrlimit(2), RLIMIT_FSIZE), which holds for a whole process.
func TestFullDisk(t *testing.T) {
	child := exec.Command(os.Args[0], "-test.run=^TestFullDiskChild$", "-test.v")
	child.Env = append(os.Environ(), fullDiskDir+"="+t.TempDir())
	out, err := child.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "--- PASS: TestFullDiskChild") {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestFullDiskChild(t *testing.T) {
	dir := os.Getenv(fullDiskDir)
	if dir == "" {
		return // a test of its own only as a child
	}
	signal.Ignore(syscall.SIGXFSZ) // the write fails then
	said := &messages{seen: make(map[string]int), news: make(chan struct{}, 1)}
	s := openStore(t, Config{Dir: dir, Logger: slog.New(said)})
	ctx := testContext(t)
	entry := func(i int) Entry {
		e := Entry{Type: Closed, Time: auditStart.Add(time.Duration(i) * time.Second), SIMID: "1", IMSI: "2", ConnectionID: fmt.Sprint(i)}
		if i%5 == 0 {
			e.Type = Created
		}
		return e
	}
	for i := range 10 {
		if err := s.AppendAuditSync(ctx, entry(i)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.CreateMapping(ctx, testMapping(testAddr, time.Hour)); err != nil {
		t.Fatal(err)
	}

	limitFiles(t, 1)
	const stuck = "the audit log cannot be written and waits"
	n := 10
	for ; said.times(stuck) == 0; n++ {
		if err := s.AppendAudit(ctx, entry(n)); err != nil {
			t.Fatal(err)
		}
		said.wait(ctx, 50*time.Millisecond)
	}
	if lag := s.AuditLag(); lag <= 0 {
		t.Errorf("lag %v while the log waits", lag)
	}
	if _, err := s.CreateMapping(ctx, testMapping(netip.AddrPortFrom(testAddr.Addr(), 10023), time.Hour)); err == nil {
		t.Error("a mapping was stored on a disk that takes nothing")
	}
	if err := s.Check(ctx); err == nil {
		t.Error("nothing is said to be wrong")
	}
	call := Call{Time: auditStart, Kind: "GET /v1/sims", Path: "/v1/sims"}
	var err error
	for err == nil { // those before the stream is given up are answered
		err = s.AppendCall(ctx, call)
	}
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("the first call that is lost: %v", err)
	}
	if err = s.AppendCall(ctx, call); !errors.Is(err, errStuck) {
		t.Errorf("the call after it: %v", err)
	}

	limitFiles(t, 1<<40)
	if err := s.AppendCall(ctx, call); err != nil {
		t.Error(err)
	}
	if err := s.AppendAuditSync(ctx, entry(n)); err != nil {
		t.Error(err)
	}
	want, err := s.CreateMapping(ctx, testMapping(netip.AddrPortFrom(testAddr.Addr(), 10024), time.Hour))
	if err != nil {
		t.Error(err)
	}
	if got, err := s.Mappings(ctx); err != nil || len(got) != 2 || got[1].Revision != want.Revision {
		t.Errorf("mappings %+v, %v", got, err)
	}
	said.until(ctx, "the audit log is written again")
	if err := s.Check(ctx); err != nil || s.AuditLag() != 0 {
		t.Errorf("afterwards %v, lag %v", err, s.AuditLag())
	}
	list, _, err := s.Audit(ctx, Query{Limit: 1000})
	if err != nil {
		t.Error(err)
	}
	times := make(map[string]int)
	for _, e := range list {
		times[e.ConnectionID]++
	}
	for i := range n + 1 {
		// The disk failed within the second in which the first entries about connections may be lost.
		if got := times[fmt.Sprint(i)]; got != 1 && (got != 0 || i >= 10 || entry(i).Type.Control()) {
			t.Errorf("entry %d is there %d times", i, got)
		}
	}
	for _, start := range []string{stuck, "the audit log is written again", "the store cannot write to its disk", "the store's disk takes writes again"} {
		if got := said.times(start); got != 1 {
			t.Errorf("said %d times: %s", got, start)
		}
	}
	if t.Failed() {
		t.Log(said.seen)
	}
}

// limitFiles says how long files may become that this process writes.
func limitFiles(t *testing.T, bytes uint64) {
	t.Helper()
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		t.Fatal(err)
	}
	limit.Cur = min(bytes, limit.Max)
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		t.Fatal(err)
	}
}

// messages is a slog.Handler that counts what is said.
type messages struct {
	mu   sync.Mutex
	seen map[string]int
	news chan struct{}
}

func (m *messages) Enabled(_ context.Context, l slog.Level) bool { return l >= slog.LevelInfo }
func (m *messages) WithAttrs([]slog.Attr) slog.Handler           { return m }
func (m *messages) WithGroup(string) slog.Handler                { return m }

func (m *messages) Handle(_ context.Context, r slog.Record) error {
	m.mu.Lock()
	m.seen[r.Message]++
	m.mu.Unlock()
	select {
	case m.news <- struct{}{}:
	default:
	}
	return nil
}

// times tells how often a message was logged, by its beginning.
func (m *messages) times(start string) (n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for text, times := range m.seen {
		if strings.HasPrefix(text, start) {
			n += times
		}
	}
	return n
}

// until waits for a message.
func (m *messages) until(ctx context.Context, start string) {
	for m.times(start) == 0 && ctx.Err() == nil {
		m.wait(ctx, patience)
	}
}

// wait waits for the next message, not for ever.
func (m *messages) wait(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-m.news:
	case <-t.C:
	case <-ctx.Done():
	}
}
