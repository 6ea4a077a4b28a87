package unattended

import (
	"context"
	"log/slog"
	"sync"
)

// A story is what an agent logged, as far as it tells how things went.
type story struct {
	mu     sync.Mutex
	events []event       // guarded by mu
	more   chan struct{} // guarded by mu: closed and replaced at each event
}

// event is one line of the log.
type event struct {
	Text  string // its message
	Attrs map[string]string
}

var _ slog.Handler = (*story)(nil)

func newStory() *story { return &story{more: make(chan struct{})} }

// Enabled implements slog.Handler: nothing is left out.
func (s *story) Enabled(context.Context, slog.Level) bool { return true }

// Handle implements slog.Handler.
func (s *story) Handle(_ context.Context, r slog.Record) error {
	e := event{r.Message, map[string]string{"time": r.Time.Format("05.000")}}
	r.Attrs(func(a slog.Attr) bool {
		e.Attrs[a.Key] = a.Value.String()
		return true
	})
	s.mu.Lock()
	defer s.mu.Unlock()
	s.events = append(s.events, e)
	close(s.more)
	s.more = make(chan struct{})
	return nil
}

// WithAttrs and WithGroup are for parts of the agent, whose lines are not looked at.
func (s *story) WithAttrs([]slog.Attr) slog.Handler { return slog.DiscardHandler }
func (s *story) WithGroup(string) slog.Handler      { return slog.DiscardHandler }

// now is the place behind the last event.
func (s *story) now() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.events)
}

// since gives the events from a place on.
func (s *story) since(place int) []event {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]event(nil), s.events[place:]...)
}

// await waits for the nth event, from a place on, that matches.
func (s *story) await(ctx context.Context, place, nth int, match func(event) bool) (event, error) {
	for {
		s.mu.Lock()
		more, seen := s.more, s.events[place:]
		s.mu.Unlock()
		left := nth
		for _, e := range seen {
			if match(e) {
				if left--; left == 0 {
					return e, nil
				}
			}
		}
		select {
		case <-more:
		case <-ctx.Done():
			return event{}, context.Cause(ctx)
		}
	}
}

// isFailure tells the line about the end of a round.
func isFailure(e event) bool { return e.Attrs["code"] != "" }

// isOnline tells that the services can be reached.
func isOnline(e event) bool { return e.Text == "online" }
