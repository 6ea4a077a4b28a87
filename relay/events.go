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
	eventsEach    = 10               // streams of one key or user: none takes those of all others
	eventInterval = 15 * time.Second // of comments that keep the stream alive, and of looking again at who reads
	eventTimeout  = 10 * time.Second // for one write
)

// eventReader is who listens, and what they may see.
type eventReader struct {
	who  string // the principal's id
	sees func(simID string) bool
}

// eventHub gives each audit entry to everyone who listens on GET /v1/events.
type eventHub struct {
	mu      sync.Mutex
	readers map[chan store.Entry]eventReader // guarded by mu
	closed  bool                             // guarded by mu
}

// publish never waits: a reader that is too slow loses its stream.
func (h *eventHub) publish(e store.Entry) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for ch, reader := range h.readers {
		if !reader.sees(e.SIMID) {
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

// listen gives a channel of entries; nil when there are too many readers, all together or of this one, or the relay ends.
func (h *eventHub) listen(reader eventReader) chan store.Entry {
	h.mu.Lock()
	defer h.mu.Unlock()
	same := 0
	for _, other := range h.readers {
		if other.who == reader.who {
			same++
		}
	}
	if h.closed || len(h.readers) >= eventReaders || same >= eventsEach {
		return nil
	}
	if h.readers == nil {
		h.readers = make(map[chan store.Entry]eventReader)
	}
	ch := make(chan store.Entry, eventQueue)
	h.readers[ch] = reader
	return ch
}

// change gives a reader other eyes, if it has not lost its stream.
func (h *eventHub) change(ch chan store.Entry, reader eventReader) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if _, ok := h.readers[ch]; ok {
		h.readers[ch] = reader
	}
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

// streamEvents writes audit entries as they happen (server-sent events, WHATWG HTML section 9.2): the event's name is the entry's type. It ends soon after
// the caller's credentials have, and follows what they may see.
func (r *Relay) streamEvents(c *call) (any, error) {
	sees, err := r.filter(c.Context(), c.scope())
	if err != nil {
		return nil, err
	}
	ch := r.events.listen(eventReader{c.who.id, sees})
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
	again := newReminder(r.cfg.Clock, eventInterval)
	defer again.end()
	for open := write(": listening\n\n"); open; {
		select {
		case <-c.Context().Done():
			return streamed{}, nil
		case <-again.C:
			if r.authenticate(c) != nil {
				return streamed{}, nil
			}
			if sees, err = r.filter(c.Context(), c.scope()); err != nil {
				return streamed{}, nil
			}
			r.events.change(ch, eventReader{c.who.id, sees})
			again.set()
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
