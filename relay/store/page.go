package store

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/nats-io/nats.go/jetstream"
)

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

// Entries that are read at a time where there is no filter: few of each stream at first, more as it goes on.
const (
	firstWindow = 16
	lastWindow  = 1024
)

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
	window := min(max(2*c.last, firstWindow), lastWindow)
	c.last = window
	low := max(info.State.FirstSeq, upTo-min(upTo, window)+1)
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
