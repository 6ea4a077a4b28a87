package store

import (
	"context"
	"errors"
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
