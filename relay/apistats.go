package relay

import (
	"cmp"
	"slices"
	"time"

	"minato/relay/relayapi"
	"minato/relay/store"
)

const (
	statsBuckets    = 48
	maxStatsBuckets = 500
	maxStatsEntries = 20_000 // of the audit log that one call reads
)

// getConnectionStats counts the audit log in parts of time. The log is the truth, so that all nodes and restarts agree.
func (r *Relay) getConnectionStats(c *call) (any, error) {
	n, err := queryInt(c, "buckets", 1, maxStatsBuckets, statsBuckets)
	if err != nil {
		return nil, err
	}
	q := store.Query{SIMID: c.URL.Query().Get("sim_id"), Limit: maxPage}
	if err := queryTimes(c, "from", "to", &q.From, &q.To); err != nil {
		return nil, err
	}
	now := r.cfg.Clock.Now()
	if q.To.IsZero() {
		q.To = now
	}
	if q.From.IsZero() {
		q.From = q.To.Add(-24 * time.Hour)
	}
	if !q.From.Before(q.To) {
		return nil, badField("from", q.From.UnixMilli(), "a time before to")
	}
	inside, err := r.filter(c.Context(), c.scope())
	if err != nil {
		return nil, err
	}
	q.Allow = inside
	s := newStats(q.From, q.To, int(n))
	for read := 0; ; {
		entries, next, err := r.store.Audit(c.Context(), q)
		if err != nil {
			return nil, err
		}
		for _, e := range entries {
			s.count(e)
		}
		if read += len(entries); next == "" {
			break
		}
		if read >= maxStatsEntries {
			s.answer.Complete = false
			break
		}
		q.Before = next
	}
	if !now.After(q.To) {
		for _, conn := range r.live.all() {
			if session := conn.session.Load(); session != nil && inside(conn.mapping.SIMID) && (q.SIMID == "" || q.SIMID == conn.mapping.SIMID) {
				live := session.Stats()
				s.last().BytesUp += live.Up
				s.last().BytesDown += live.Down
			}
		}
	}
	return s.done(c.lang()), nil
}

// stats are counts under way.
type stats struct {
	answer relayapi.ConnectionStats
	codes  map[string]int64
}

func newStats(from, to time.Time, n int) *stats {
	step := max(to.Sub(from).Milliseconds()/int64(n), 1)
	s := &stats{codes: map[string]int64{}, answer: relayapi.ConnectionStats{
		From: from.UnixMilli(), To: to.UnixMilli(), StepMs: step, Complete: true, Buckets: make([]relayapi.StatsBucket, n),
	}}
	for i := range s.answer.Buckets {
		s.answer.Buckets[i].Time = s.answer.From + int64(i)*step
	}
	return s
}

func (s *stats) last() *relayapi.StatsBucket { return &s.answer.Buckets[len(s.answer.Buckets)-1] }

// count puts an entry into its bucket. A refusal is what has a code: of the relay (DENIED, REFUSED) or on the way to the device (CLOSED), but not
// the end that every mapping has.
func (s *stats) count(e store.Entry) {
	i := (e.Time.UnixMilli() - s.answer.From) / s.answer.StepMs
	b := &s.answer.Buckets[min(max(i, 0), int64(len(s.answer.Buckets)-1))]
	if e.Type == store.Connected {
		b.Connections++
	}
	if e.Code != "" && !(e.Type == store.Closed && e.Code == string(CauseExpired)) {
		n := int64(max(e.Count, 1))
		b.Refusals += n
		s.codes[e.Code] += n
	}
	b.BytesUp += e.BytesUp
	b.BytesDown += e.BytesDown
}

func (s *stats) done(lang string) relayapi.ConnectionStats {
	s.answer.Refusals = make([]relayapi.CodeCount, 0, len(s.codes))
	for code, n := range s.codes {
		s.answer.Refusals = append(s.answer.Refusals, relayapi.CodeCount{Code: code, Reason: Cause(code).Text(lang), Count: n})
	}
	slices.SortFunc(s.answer.Refusals, func(a, b relayapi.CodeCount) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Code, b.Code))
	})
	return s.answer
}
