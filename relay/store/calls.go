package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

const (
	callsStream  = "MINATO_AUDIT_API"
	callsSubject = "minato.audit.a"
	callsPage    = 256
	maxCalls     = 1_000_000 // the oldest go first
)

// Call is one entry of the API's own log: who asked for what.
type Call struct {
	Time   time.Time `json:"t"`
	Kind   string    `json:"k"` // the route, such as "POST /v1/port_mappings"
	Path   string    `json:"p"`
	KeyID  string    `json:"key,omitempty"` // "": the caller was not known
	User   string    `json:"user,omitempty"`
	Remote string    `json:"ip,omitempty"`
	Status int       `json:"s"`

	Seq uint64 `json:"-"` // place in the log, set by Calls
}

// CallQuery chooses calls. Empty fields choose all.
type CallQuery struct {
	Kind     string
	From, To time.Time
	Limit    int    // 0: 100, at most 1000
	Before   uint64 // Seq of the last entry of the page before
}

func (s *Store) openCalls(ctx context.Context) (err error) {
	cfg := jetstream.StreamConfig{
		Name:        callsStream,
		Subjects:    []string{callsSubject},
		MaxAge:      s.cfg.CallAge,
		MaxMsgs:     maxCalls,
		Storage:     jetstream.FileStorage,
		Replicas:    s.cfg.Replicas,
		AllowDirect: true,
	}
	if s.cfg.Replicas == 1 {
		cfg.PersistMode = jetstream.AsyncPersistMode
	}
	if s.calls, err = s.js.CreateOrUpdateStream(ctx, cfg); err != nil {
		return fmt.Errorf("making stream %q: %w", callsStream, err)
	}
	return nil
}

// errStuck is why an entry is lost without being tried.
var errStuck = errors.New("the store cannot write to its disk")

// AppendCall adds one entry. On a disk that takes nothing the first call that is not answered waits for its time, and those after it do not: what they
// are about is a read most often, which must go on then.
func (s *Store) AppendCall(ctx context.Context, c Call) error {
	data, err := json.Marshal(c)
	switch {
	case err != nil:
	case s.callsStuck.Load() && !s.mend():
		err = errStuck
	default:
		ctx, cancel := context.WithTimeout(ctx, ackTimeout)
		defer cancel()
		_, err = s.js.Publish(ctx, callsSubject, data)
		s.callsStuck.Store(errors.Is(err, context.DeadlineExceeded))
		s.mendAfter(err)
	}
	if err != nil {
		return fmt.Errorf("writing the log of calls: %w", err)
	}
	return nil
}

// Calls returns the newest entries that the query chooses, newest first, and whether there may be more.
func (s *Store) Calls(ctx context.Context, q CallQuery) (list []Call, more bool, err error) {
	limit := q.Limit
	if limit <= 0 {
		limit = defaultLimit
	}
	limit = min(limit, maxLimit)
	info, err := s.calls.Info(ctx)
	if err != nil {
		return nil, false, fmt.Errorf("reading the log of calls: %w", err)
	}
	upTo := info.State.LastSeq
	if q.Before > 0 {
		upTo = min(upTo, q.Before-1)
	}
	for first := info.State.FirstSeq; info.State.Msgs > 0 && upTo >= first; {
		low := max(first, upTo-min(upTo, callsPage)+1)
		msgs, err := s.directGet(ctx, callsStream, getRequest{Seq: low, Batch: int(upTo - low + 1)})
		if err != nil && !errors.Is(err, errNoMessages) {
			return nil, false, fmt.Errorf("reading the log of calls: %w", err)
		}
		for i := len(msgs) - 1; i >= 0; i-- {
			if msgs[i].seq > upTo {
				continue
			}
			c := Call{Seq: msgs[i].seq}
			if err := json.Unmarshal(msgs[i].data, &c); err != nil {
				return nil, false, fmt.Errorf("decoding call %s: %w", strconv.FormatUint(msgs[i].seq, 10), err)
			}
			if q.Kind != "" && q.Kind != c.Kind || !q.From.IsZero() && c.Time.Before(q.From) || !q.To.IsZero() && c.Time.After(q.To) {
				continue
			}
			if len(list) == limit {
				return list, true, nil
			}
			list = append(list, c)
		}
		upTo = low - 1
	}
	return list, false, nil
}
