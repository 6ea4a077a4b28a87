package store

import (
	"context"
	"errors"
	"time"
)

// newestSeq is a cursor's place before it has read anything.
const newestSeq = ^uint64(0)

// cursor reads one stream from upTo backwards.
type cursor struct {
	store *Store
	from  *auditStream
	query Query
	upTo  uint64     // the newest sequence that the next page may hold; 0: the end
	last  uint64     // entries that the page before was read from; 0: there was none
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
		(q.Type == "" || q.Type == e.Type) && (q.Skip == "" || q.Skip != e.Type) && (q.Code == "" || q.Code == e.Code) && (!q.Caused || e.Code != "" || e.Type == Denied) &&
		(q.Allow == nil || q.Allow(e.SIMID)) &&
		(q.From.IsZero() || !e.Time.Before(q.From)) && (q.To.IsZero() || !e.Time.After(q.To))
}
