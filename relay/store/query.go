package store

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

const (
	defaultLimit = 100
	maxLimit     = 1000

	// outOfOrder is how far the times of entries may go back along the log: they are taken before the entries queue. A
	// search by time looks this much further.
	outOfOrder = time.Minute
)

// Audit returns the newest entries that the query chooses, newest first, and next, the Query.Before of the following
// page: "" at the end.
func (s *Store) Audit(ctx context.Context, q Query) (entries []Entry, next string, err error) {
	if entries, next, err = s.searchAudit(ctx, q); err != nil {
		return nil, "", fmt.Errorf("reading audit log: %w", err)
	}
	return entries, next, nil
}

func (s *Store) searchAudit(ctx context.Context, q Query) ([]Entry, string, error) {
	limit := q.Limit
	if limit <= 0 {
		limit = defaultLimit
	}
	limit = min(limit, maxLimit)
	connections, control, err := s.cursors(ctx, q)
	if err != nil {
		return nil, "", err
	}
	var entries []Entry
	for {
		newest, err := newer(ctx, connections, control)
		if err != nil {
			return nil, "", err
		}
		if newest == nil {
			return entries, "", nil
		}
		if len(entries) == limit {
			return entries, entries[limit-1].Cursor, nil
		}
		e := newest.take()
		e.Cursor = formatCursor(connections.position(), control.position())
		entries = append(entries, e)
	}
}

// cursors makes the two readers of a query, placed where Before or To says.
func (s *Store) cursors(ctx context.Context, q Query) (connections, control *cursor, err error) {
	connections = &cursor{store: s, from: &s.audit.connections, query: q, upTo: newestSeq}
	control = &cursor{store: s, from: &s.audit.control, query: q, upTo: newestSeq}
	switch {
	case q.Before != "":
		if connections.upTo, control.upTo, err = parseCursor(q.Before); err != nil {
			return nil, nil, err
		}
	case !q.To.IsZero():
		for _, c := range []*cursor{connections, control} {
			if err := c.seek(ctx, q.To.Add(outOfOrder)); err != nil {
				return nil, nil, err
			}
		}
	}
	if q.Type != "" && q.Type.Control() {
		connections.upTo = 0
	} else if q.Type != "" {
		control.upTo = 0
	}
	return connections, control, nil
}

// newer returns the cursor whose next entry is the newer one, nil if both have ended.
func newer(ctx context.Context, a, b *cursor) (*cursor, error) {
	if err := errors.Join(a.fill(ctx), b.fill(ctx)); err != nil {
		return nil, err
	}
	switch {
	case len(a.page) == 0 && len(b.page) == 0:
		return nil, nil
	case len(a.page) == 0:
		return b, nil
	case len(b.page) == 0 || !a.page[0].Time.Before(b.page[0].Time):
		return a, nil
	}
	return b, nil
}

// newestSeq is a cursor's place before it has read anything.
const newestSeq = ^uint64(0)

// cursor reads one stream from upTo backwards.
type cursor struct {
	store *Store
	from  *auditStream
	query Query
	upTo  uint64     // the newest sequence that the next page may hold; 0: the end
	page  []seqEntry // read and not yet taken, newest first
}

type seqEntry struct {
	seq, k uint64
	run    string
	Entry
}

// position is the newest sequence not yet taken.
func (c *cursor) position() uint64 {
	if len(c.page) > 0 {
		return c.page[0].seq
	}
	return c.upTo
}

func (c *cursor) take() Entry {
	e := c.page[0].Entry
	c.page = c.page[1:]
	return e
}

// seek goes to the last entry that is not after t, by halving: entries are in the order of their times but for outOfOrder. The
// time at which a message was stored says nothing of an entry that came from a backup.
func (c *cursor) seek(ctx context.Context, t time.Time) error {
	info, err := c.from.stream.Info(ctx)
	if err != nil {
		return err
	}
	low, high := max(info.State.FirstSeq, 1), info.State.LastSeq+1 // all below low are not after t, all from high on are
	for low < high {
		mid := low + (high-low)/2
		found, err := c.store.directGet(ctx, c.from.name, getRequest{Seq: mid, Batch: 1})
		if errors.Is(err, errNoMessages) || err == nil && found[0].seq >= high {
			high = mid
			continue
		}
		if err != nil {
			return err
		}
		e, err := decodeEntries(found)
		switch {
		case err != nil:
			return err
		case e[0].Time.After(t):
			high = mid
		default:
			low = e[0].seq + 1
		}
	}
	c.upTo = low - 1
	return nil
}

// fill reads pages until one holds an entry that the query chooses, or the stream ends.
func (c *cursor) fill(ctx context.Context) error {
	for len(c.page) == 0 && c.upTo > 0 {
		read, floor, err := c.read(ctx)
		if err != nil {
			return err
		}
		c.upTo = floor
		for _, e := range read {
			switch {
			case !c.query.From.IsZero() && e.Time.Before(c.query.From.Add(-outOfOrder)):
				c.upTo = 0 // all others are older
			case c.query.chooses(e.Entry):
				c.page = append(c.page, e)
			}
		}
	}
	return nil
}

func (q Query) chooses(e Entry) bool {
	return (q.SIMID == "" || q.SIMID == e.SIMID) && (q.IMSI == "" || q.IMSI == e.IMSI) &&
		(q.Type == "" || q.Type == e.Type) &&
		(q.From.IsZero() || !e.Time.Before(q.From)) && (q.To.IsZero() || !e.Time.After(q.To))
}

// read returns the newest entries up to c.upTo, newest first, and where the next page begins.
func (c *cursor) read(ctx context.Context) ([]seqEntry, uint64, error) {
	filter := c.from.filter(c.query)
	if filter == "" {
		return c.readAll(ctx)
	}
	upTo := c.upTo
	if upTo == newestSeq {
		upTo = 0
	}
	msgs, err := c.store.lastOfEach(ctx, c.from, filter, upTo)
	if errors.Is(err, errNoMessages) {
		return nil, 0, nil
	}
	if err != nil {
		return nil, 0, err
	}
	entries, err := decodeEntries(msgs)
	if err != nil {
		return nil, 0, err
	}
	entries, floor := unbroken(entries)
	return entries, floor, nil
}

// unbroken takes the part of a page in which no entry is missing, and where the next page begins (0: there is none). In each run
// that is the newest entries as far as their numbers have no gap; of several runs, what is newer than every run's end. Numbers have gaps
// where the newest of a slot hides an older one.
func unbroken(entries []seqEntry) ([]seqEntry, uint64) {
	last := make(map[string]seqEntry)
	count := make(map[string]int)
	broken := make(map[string]bool)
	for _, e := range entries {
		before, seen := last[e.run]
		switch {
		case broken[e.run]:
			continue
		case seen && before.k != e.k+1 && before.k != e.k:
			broken[e.run] = true
			continue
		}
		last[e.run] = e
		count[e.run]++
	}
	floor := uint64(0)
	for run, e := range last {
		if broken[run] || count[run] >= slots {
			floor = max(floor, e.seq)
		}
	}
	if floor == 0 {
		return entries, 0
	}
	n := slices.IndexFunc(entries, func(e seqEntry) bool { return e.seq < floor })
	if n < 0 {
		n = len(entries)
	}
	return entries[:n], floor - 1
}

// readAll reads the stream itself, a window at a time.
func (c *cursor) readAll(ctx context.Context) ([]seqEntry, uint64, error) {
	info, err := c.from.stream.Info(ctx)
	if err != nil {
		return nil, 0, err
	}
	upTo := min(c.upTo, info.State.LastSeq)
	if info.State.Msgs == 0 || upTo < info.State.FirstSeq {
		return nil, 0, nil
	}
	low := max(info.State.FirstSeq, upTo-min(upTo, slots)+1)
	msgs, err := c.store.directGet(ctx, c.from.name, getRequest{Seq: low, Batch: int(upTo - low + 1)})
	if err != nil && !errors.Is(err, errNoMessages) {
		return nil, 0, err
	}
	msgs = slices.DeleteFunc(msgs, func(m storedMsg) bool { return m.seq > upTo })
	entries, err := decodeEntries(msgs)
	return entries, low - 1, err
}

// decodeEntries returns the entries newest first.
func decodeEntries(msgs []storedMsg) ([]seqEntry, error) {
	entries := make([]seqEntry, 0, len(msgs))
	for _, m := range msgs {
		var r auditRecord
		if err := json.Unmarshal(m.data, &r); err != nil {
			return nil, fmt.Errorf("decoding entry %d: %w", m.seq, err)
		}
		if r.V != auditVersion {
			return nil, fmt.Errorf("decoding entry %d: version %d, want %d", m.seq, r.V, auditVersion)
		}
		entries = append(entries, seqEntry{m.seq, r.K, runOf(m.subject), r.Entry})
	}
	slices.SortFunc(entries, func(a, b seqEntry) int { return cmp.Compare(b.seq, a.seq) })
	return entries, nil
}

// runs lists the runs that match a filter.
func (s *Store) runs(ctx context.Context, as *auditStream, filter string) (map[string]bool, error) {
	info, err := as.stream.Info(ctx, jetstream.WithSubjectFilter(filter))
	if err != nil {
		return nil, err
	}
	runs := make(map[string]bool)
	for subject := range info.State.Subjects {
		runs[runOf(subject)] = true
	}
	return runs, nil
}

// A cursor's text is the position in each stream.
func formatCursor(connections, control uint64) string {
	return strconv.FormatUint(connections, 10) + "." + strconv.FormatUint(control, 10)
}

func parseCursor(s string) (connections, control uint64, err error) {
	a, b, found := strings.Cut(s, ".")
	connections, errA := strconv.ParseUint(a, 10, 64)
	control, errB := strconv.ParseUint(b, 10, 64)
	if !found || errA != nil || errB != nil {
		return 0, 0, fmt.Errorf("cursor %q is not one that Audit returned", s)
	}
	return connections, control, nil
}
