package emulator

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	streamComment  = 15 * time.Second // what keeps a quiet stream alive through whatever stands in between
	streamPatience = 10 * time.Second // how long a client may keep a write waiting
)

// eventTypes are what Event.Type can be.
var eventTypes = []string{"boot", "registration", "call", "ppp", "session", "port", "fault"}

// filter is what a client wants of the events.
type filter struct {
	modem int // AllModems: any
	types []string
	after uint64
}

func (f *filter) passes(e *Event) bool {
	return (f.modem == AllModems || f.modem == e.Modem) && (len(f.types) == 0 || slices.Contains(f.types, e.Type))
}

// eventFilter reads ?modem=, ?type= and ?after=, or the Last-Event-ID that a client which comes back sends.
func (e *Emulator) eventFilter(r *http.Request) (filter, error) {
	f := filter{modem: AllModems, after: FromNow}
	q := r.URL.Query()
	if n := q.Get("modem"); n != "" && n != "all" {
		i, err := strconv.Atoi(n)
		if err != nil || e.Modem(i) == nil {
			return f, fmt.Errorf("modem %q: 0 to %d are there, or all", n, len(e.modems)-1)
		}
		f.modem = i
	}
	if list := q.Get("type"); list != "" {
		f.types = strings.Split(list, ",")
		for _, t := range f.types {
			if !slices.Contains(eventTypes, t) {
				return f, fmt.Errorf("type %q: allowed are %s", t, strings.Join(eventTypes, ", "))
			}
		}
	}
	after := q.Get("after")
	if id := r.Header.Get("Last-Event-ID"); id != "" {
		after = id
	}
	if after != "" {
		n, err := strconv.ParseUint(after, 10, 64)
		if err != nil {
			return f, fmt.Errorf("after %q: must be the number of an event", after)
		}
		f.after = n
	}
	return f, nil
}

// streamEvents sends events as they come (server-sent events, HTML Living Standard section 9.2).
func (e *Emulator) streamEvents(w http.ResponseWriter, r *http.Request) {
	f, err := e.eventFilter(r)
	if err != nil {
		fail(w, http.StatusBadRequest, "bad_request", "%v", err)
		return
	}
	s, missed := e.events.subscribe(f.after)
	if s == nil {
		fail(w, http.StatusServiceUnavailable, "too_many", "%d clients listen already", eventSubscribers)
		return
	}
	defer s.close()
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	c := http.NewResponseController(w)
	say := func(text string) bool {
		c.SetWriteDeadline(time.Now().Add(streamPatience)) // where it is not supported a write waits
		_, err := w.Write([]byte(text))
		return err == nil && c.Flush() == nil
	}
	if !say(": minato-emulator\n\n") {
		return
	}
	for _, ev := range missed {
		if f.passes(&ev) && !say(eventText(ev)) {
			return
		}
	}
	quiet := time.NewTicker(streamComment)
	defer quiet.Stop()
	for {
		text := ": quiet\n\n"
		select {
		case <-r.Context().Done():
			return
		case ev := <-s.c:
			text = ""
			if n := s.takeLost(); n > 0 {
				text = fmt.Sprintf("event: lost\ndata: {\"lost\":%d}\n\n", n)
			}
			if f.passes(&ev) {
				text += eventText(ev)
			}
		case <-quiet.C:
		}
		if text != "" && !say(text) {
			return
		}
	}
}

func eventText(e Event) string {
	data, err := json.Marshal(e)
	if err != nil {
		panic("emulator: an event cannot be told: " + err.Error())
	}
	return fmt.Sprintf("id: %d\nevent: %s\ndata: %s\n\n", e.ID, e.Type, data)
}
