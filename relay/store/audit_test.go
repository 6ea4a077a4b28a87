package store

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// auditStart is the time of the first entry of appendEntries; each is a second later than the one before.
var auditStart = time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)

// appendEntries appends n entries and returns them newest first.
func appendEntries(t testing.TB, n int, entry func(i int) (*Store, Entry)) []Entry {
	t.Helper()
	ctx := testContext(t)
	var list []Entry
	for i := range n {
		s, e := entry(i)
		e.Time = auditStart.Add(time.Duration(i) * time.Second)
		e.ConnectionID = fmt.Sprint(i)
		var err error
		if e.Type.Control() || i == n-1 || i%50 == 49 {
			err = s.AppendAuditSync(ctx, e) // keeps the order of two nodes
		} else {
			err = s.AppendAudit(ctx, e)
		}
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, e)
	}
	slices.Reverse(list)
	return list
}

// checkAudit pages through all that the query chooses.
func checkAudit(t *testing.T, s *Store, q Query, want []Entry) {
	t.Helper()
	var got []Entry
	for pages := 0; ; pages++ {
		list, next, err := s.Audit(testContext(t), q)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, list...)
		if q.Limit > 0 && len(list) > q.Limit {
			t.Errorf("page of %d entries, limit %d", len(list), q.Limit)
		}
		if next == "" {
			break
		}
		if len(list) == 0 || pages > len(want) {
			t.Fatal("pages do not end")
		}
		q.Before = next
	}
	if diff := cmp.Diff(want, got, compareNetip, cmpopts.IgnoreFields(Entry{}, "Cursor"), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("entries of %+v (-want +got):\n%s", q, diff)
	}
}

func choose(list []Entry, q Query) []Entry {
	return slices.DeleteFunc(slices.Clone(list), func(e Entry) bool { return !q.chooses(e) })
}

func TestAudit(t *testing.T) {
	s := openStore(t, Config{})
	checkAudit(t, s, Query{}, nil)
	checkAudit(t, s, Query{SIMID: "1"}, nil)
	checkAudit(t, s, Query{To: auditStart}, nil)
	types := []EntryType{Access, Connected, Closed, Created, Access, Denied, Closed, Deleted}
	all := appendEntries(t, 2000, func(i int) (*Store, Entry) {
		e := Entry{
			Type: types[i%len(types)], SIMID: fmt.Sprint(i % 3), IMSI: fmt.Sprint(44010 + i%6), OperatorID: "OP1", TLS: i%2 == 0,
			Source: netip.MustParseAddrPort("203.0.113.9:50000"), Destination: testAddr, Code: "R05", Reason: "not TLS",
			Protocol: "ssh", TLSVersion: "TLS 1.3", SNI: "device.example", BytesUp: 1, BytesDown: 2, Duration: time.Second, End: Words{Code: "idle"}, Count: 3,
			Ladder: []Step{{0, "client", Words{Code: "connection"}, 0}, {1500 * time.Microsecond, "client", Words{"first-bytes", []string{"ssh"}}, 40}},
		}
		if i%100 == 0 {
			e.SIMID, e.IMSI = "", "" // a port that leads nowhere
		}
		if i%100 == 1 {
			e.SIMID = "odd id.*"
		}
		return s, e
	})
	at := func(i int) time.Time { return auditStart.Add(time.Duration(i) * time.Second) }
	for _, q := range []Query{
		{},
		{Limit: 1000},
		{SIMID: "1"},
		{SIMID: "1", Limit: 7},
		{SIMID: "odd id.*"},
		{SIMID: "none"},
		{IMSI: "44011", Limit: 1000},
		{SIMID: "1", IMSI: "44011"},
		{SIMID: "1", IMSI: "44010"},
		{SIMID: "2", Type: Closed},
		{SIMID: "0", Type: Deleted},
		{Type: Created},
		{Type: Denied},
		{SIMID: "1", From: at(700), To: at(1300)},
		{From: at(700), To: at(1300)},
		{From: at(3000)},
		{To: at(-1)},
	} {
		checkAudit(t, s, q, choose(all, q))
	}
}

func TestAuditCursor(t *testing.T) {
	ctx := testContext(t)
	s := openStore(t, Config{})
	all := appendEntries(t, 30, func(i int) (*Store, Entry) {
		return s, Entry{Type: []EntryType{Access, Created}[i%2], SIMID: "1"}
	})
	list, _, err := s.Audit(ctx, Query{SIMID: "1"})
	if err != nil || len(list) != len(all) {
		t.Fatalf("%d entries, %v", len(list), err)
	}
	for i, e := range list {
		checkAudit(t, s, Query{SIMID: "1", Before: e.Cursor}, all[i+1:])
	}
	for _, bad := range []string{"x", "1", "1.", "1.2.3", "-1.0"} {
		if _, _, err := s.Audit(ctx, Query{Before: bad}); err == nil {
			t.Errorf("cursor %q: no error", bad)
		}
	}
	for _, bad := range []Entry{{}, {Type: Access}, {Time: time.Now()}} {
		if err := s.AppendAudit(ctx, bad); err == nil {
			t.Errorf("entry %+v: no error", bad)
		}
	}
}

// TestAuditRestart: numbers go on where the last process stopped, so that a page has no gap.
func TestAuditRestart(t *testing.T) {
	dir := t.TempDir()
	ctx := testContext(t)
	var all []Entry
	for round := range 3 {
		s, err := Open(ctx, Config{Dir: dir})
		if err != nil {
			t.Fatal(err)
		}
		list := appendEntries(t, 100, func(i int) (*Store, Entry) { return s, Entry{Type: Closed, SIMID: "7", Count: round} })
		all = append(list, all...)
		checkAudit(t, s, Query{SIMID: "7", Limit: 30}, all)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestAuditManyRuns: more subjects than one direct get answers for.
func TestAuditManyRuns(t *testing.T) {
	s := openStore(t, Config{})
	all := appendEntries(t, 1800, func(i int) (*Store, Entry) {
		return s, Entry{Type: Closed, SIMID: "7", IMSI: fmt.Sprint(i % 12)}
	})
	checkAudit(t, s, Query{SIMID: "7", Limit: 500}, all)
}

func TestUnbroken(t *testing.T) {
	entry := func(run string, seq, k uint64) seqEntry { return seqEntry{seq: seq, k: k, run: run} }
	full := func(n int) (list []seqEntry) {
		for i := n; i > 0; i-- {
			list = append(list, entry("a", uint64(i+100), uint64(i)))
		}
		return list
	}
	tests := []struct {
		name  string
		page  []seqEntry
		keep  int
		floor uint64
	}{
		{"nothing", nil, 0, 0},
		{"all there is", full(5), 5, 0},
		{"a full page", full(slots), slots, 100},
		{"a gap", []seqEntry{entry("a", 9, 4), entry("a", 8, 3), entry("a", 3, 1), entry("a", 2, 0)}, 2, 7},
		{"one twice", []seqEntry{entry("a", 9, 4), entry("a", 8, 4), entry("a", 7, 3)}, 3, 0},
		{"late", []seqEntry{entry("a", 9, 4), entry("a", 8, 5), entry("a", 7, 3)}, 1, 8},
		{"a gap in one of two", []seqEntry{entry("b", 9, 1), entry("a", 8, 4), entry("b", 6, 0), entry("a", 5, 1)}, 2, 7},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, floor := unbroken(tt.page)
			if len(got) != tt.keep || floor != tt.floor {
				t.Errorf("unbroken = %d entries, floor %d; want %d, %d", len(got), floor, tt.keep, tt.floor)
			}
		})
	}
}
