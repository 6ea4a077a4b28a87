package emulator

import (
	"context"
	"iter"
	"sync"
	"time"

	"minato/emulator/dce"
)

// Event is something that happened. What does not apply is left out.
type Event struct {
	ID      uint64            `json:"id"` // from 1, without gaps
	Time    time.Time         `json:"time"`
	Type    string            `json:"type"`  // boot, registration, call, ppp, session, port, fault
	Modem   int               `json:"modem"` // from 0
	State   string            `json:"state"` // boot: begins, ready; registration: as +CEREG? says; call: began, ended; ppp: up; session: opened, closed; port: gone, there; fault: injected, cleared, failed
	Port    string            `json:"port,omitempty"`
	Path    string            `json:"path,omitempty"`
	CID     int               `json:"cid,omitempty"`
	Address string            `json:"address,omitempty"`
	Reason  string            `json:"reason,omitempty"`
	Fault   string            `json:"fault,omitempty"`
	Params  map[string]string `json:"params,omitempty"`
}

const (
	eventsKept       = 512 // for those who come late or again
	eventsWaiting    = 256 // for one subscriber; what is beyond is lost for it
	eventSubscribers = 64
)

// hub gives events to those who listen. A slow one loses events and nobody waits for it.
type hub struct {
	mu     sync.Mutex
	last   uint64  // guarded by mu
	recent []Event // guarded by mu: at most eventsKept, the oldest first
	subs   map[*subscription]struct{}
}

// subscription is one who listens.
type subscription struct {
	hub  *hub
	c    chan Event // never closed
	lost uint64     // guarded by hub.mu: since take was called last
}

func (h *hub) publish(e Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.last++
	e.ID, e.Time = h.last, time.Now()
	if len(h.recent) == eventsKept {
		h.recent = append(h.recent[:0], h.recent[eventsKept/2:]...)
	}
	h.recent = append(h.recent, e)
	for s := range h.subs {
		select {
		case s.c <- e:
		default:
			s.lost++
		}
	}
}

// subscribe begins with the events after that number that are still kept; it is nil when too many listen.
func (h *hub) subscribe(after uint64) (*subscription, []Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.subs) >= eventSubscribers {
		return nil, nil
	}
	var missed []Event
	for _, e := range h.recent {
		if e.ID > after {
			missed = append(missed, e)
		}
	}
	s := &subscription{hub: h, c: make(chan Event, eventsWaiting)}
	if h.subs == nil {
		h.subs = map[*subscription]struct{}{}
	}
	h.subs[s] = struct{}{}
	return s, missed
}

func (s *subscription) close() {
	s.hub.mu.Lock()
	defer s.hub.mu.Unlock()
	delete(s.hub.subs, s)
}

// takeLost tells how many events were lost since it was called last.
func (s *subscription) takeLost() uint64 {
	s.hub.mu.Lock()
	defer s.hub.mu.Unlock()
	n := s.lost
	s.lost = 0
	return n
}

// FromNow begins with what happens next.
const FromNow = ^uint64(0)

// Events gives what happens, beginning behind the event of that number: 0 for all that are kept, at least the last 256, or FromNow.
// It ends with ctx. Who takes 256 events too long loses some: the numbers tell. It gives nothing when 64 listen already.
func (e *Emulator) Events(ctx context.Context, after uint64) iter.Seq[Event] {
	s, missed := e.events.subscribe(after)
	if s == nil {
		return func(func(Event) bool) {}
	}
	context.AfterFunc(ctx, s.close)
	return func(yield func(Event) bool) {
		for _, ev := range missed {
			if !yield(ev) {
				return
			}
		}
		missed = nil
		for {
			select {
			case <-ctx.Done():
				return
			case ev := <-s.c:
				if !yield(ev) {
					return
				}
			}
		}
	}
}

// observe is what a modem's events go to.
func (m *Modem) observe(e dce.Event) {
	m.events.publish(Event{Type: e.Type, Modem: m.index, State: e.State, Port: e.Port, CID: e.CID, Address: e.Addr, Reason: e.Reason})
}
