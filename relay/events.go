package relay

import (
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"time"

	"minato/relay/relayapi"
	"minato/relay/store"
)

const (
	eventQueue    = 256 // events that a slow reader may be behind; then its stream ends, and it starts anew
	eventReaders  = 100
	eventInterval = 15 * time.Second // of comments that keep the stream alive
	eventTimeout  = 10 * time.Second // for one write
)

// eventHub gives each audit entry to everyone who listens on GET /v1/events.
type eventHub struct {
	mu      sync.Mutex
	readers map[chan store.Entry]func(simID string) bool // guarded by mu; to what each may see
	closed  bool                                         // guarded by mu
}

// publish never waits: a reader that is too slow loses its stream.
func (h *eventHub) publish(e store.Entry) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for ch, sees := range h.readers {
		if !sees(e.SIMID) {
			continue
		}
		select {
		case ch <- e:
		default:
			delete(h.readers, ch)
			close(ch)
		}
	}
}

// listen gives a channel of entries; nil when there are too many readers, or the relay ends.
func (h *eventHub) listen(sees func(string) bool) chan store.Entry {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed || len(h.readers) >= eventReaders {
		return nil
	}
	if h.readers == nil {
		h.readers = make(map[chan store.Entry]func(string) bool)
	}
	ch := make(chan store.Entry, eventQueue)
	h.readers[ch] = sees
	return ch
}

func (h *eventHub) leave(ch chan store.Entry) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if _, ok := h.readers[ch]; ok {
		delete(h.readers, ch)
		close(ch)
	}
}

// close ends all streams.
func (h *eventHub) close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = true
	for ch := range h.readers {
		delete(h.readers, ch)
		close(ch)
	}
}

// streamEvents writes audit entries as they happen (server-sent events, WHATWG HTML section 9.2): the event's name is the entry's type.
func (r *Relay) streamEvents(c *call) (any, error) {
	sees, err := r.filter(c.Context(), c.scope())
	if err != nil {
		return nil, err
	}
	ch := r.events.listen(sees)
	if ch == nil {
		return nil, apiErrorf(http.StatusTooManyRequests, codeTooMany, "too many calls: wait %d s", int(eventInterval.Seconds()))
	}
	defer r.events.leave(ch)
	c.header.Set("Content-Type", "text/event-stream")
	c.header.Set("Cache-Control", "no-store")
	out := http.NewResponseController(c.writer)
	out.SetReadDeadline(time.Time{}) // the server's ReadTimeout would end the request's context; an error shows in the writes
	write := func(format string, args ...any) bool {
		out.SetWriteDeadline(time.Now().Add(eventTimeout)) // an error shows in the write
		if _, err := fmt.Fprintf(c.writer, format, args...); err != nil {
			return false
		}
		return out.Flush() == nil
	}
	alive := time.NewTicker(eventInterval)
	defer alive.Stop()
	for open := write(": listening\n\n"); open; {
		select {
		case <-c.Context().Done():
			return streamed{}, nil
		case <-alive.C:
			open = write(": \n\n")
		case e, more := <-ch:
			if !more {
				return streamed{}, nil
			}
			data, err := json.Marshal(eventAnswer(e, c.lang()))
			if err != nil {
				r.log.Error("encoding an event", "error", err)
				continue
			}
			open = write("event: %s\ndata: %s\n\n", e.Type, data)
		}
	}
	return streamed{}, nil
}

// eventAnswer is an entry of our own log, whose types are more than Napter's.
func eventAnswer(e store.Entry, lang string) relayapi.ConnectionLogEntry {
	a := relayapi.ConnectionLogEntry{NapterAuditLogEntry: auditAnswer(e, lang), Ladder: make([]relayapi.LadderStep, 0, len(e.Ladder))}
	for _, s := range e.Ladder {
		a.Ladder = append(a.Ladder, relayapi.LadderStep{AfterMs: s.After.Milliseconds(), From: s.From, What: inEnglish(s.What), Bytes: s.Bytes, Code: s.What.Code, Args: s.What.Args})
	}
	return a
}
