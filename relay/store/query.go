package store

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"
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
	cursors, err := s.cursors(ctx, q)
	if err != nil {
		return nil, "", err
	}
	var entries []Entry
	for {
		newest, err := cursors.newest(ctx)
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
		e.Cursor = cursors.String()
		entries = append(entries, e)
	}
}

// cursors read the streams of a query as one.
type cursors []*cursor

// cursors makes the readers of a query, placed where Before or To says.
func (s *Store) cursors(ctx context.Context, q Query) (cursors, error) {
	var cs cursors
	for _, as := range s.audit.readable(q) {
		cs = append(cs, &cursor{store: s, from: as, query: q, upTo: newestSeq})
	}
	switch {
	case q.Before != "":
		return cs, cs.place(q.Before)
	case !q.To.IsZero():
		for _, c := range cs {
			if err := c.seek(ctx, q.To.Add(outOfOrder)); err != nil {
				return nil, err
			}
		}
	}
	return cs, nil
}

// newest returns the cursor whose next entry is the newest, nil if all have ended.
func (cs cursors) newest(ctx context.Context) (newest *cursor, err error) {
	for _, c := range cs {
		if err := c.fill(ctx); err != nil {
			return nil, err
		}
		if len(c.page) > 0 && (newest == nil || c.page[0].Time.After(newest.page[0].Time)) {
			newest = c
		}
	}
	return newest, nil
}

// String is the position in each stream: a Query.Before.
func (cs cursors) String() string {
	var b strings.Builder
	for i, c := range cs {
		if i > 0 {
			b.WriteByte('.')
		}
		b.WriteString(strconv.FormatUint(c.position(), 36))
	}
	return b.String()
}

// place goes to what String said.
func (cs cursors) place(before string) error {
	parts := strings.Split(before, ".")
	if len(parts) != len(cs) {
		return fmt.Errorf("%w: %q", ErrCursor, short(before))
	}
	for i, part := range parts {
		n, err := strconv.ParseUint(part, 36, 64)
		if err != nil {
			return fmt.Errorf("%w: %q", ErrCursor, short(before))
		}
		cs[i].upTo = n
	}
	return nil
}
