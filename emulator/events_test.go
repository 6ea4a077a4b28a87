package emulator

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"minato/agent/ppp"
)

// stream is a client of GET /v1/events.
type stream struct {
	t *testing.T
	r *bufio.Reader
}

func openStream(t *testing.T, e *Emulator, query string) *stream {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), "GET", "http://"+e.ControlAddr()+"/v1/events"+query, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Close = true
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { resp.Body.Close() })
	if resp.StatusCode != http.StatusOK || resp.Header.Get("Content-Type") != "text/event-stream" {
		t.Fatalf("status %s, %s", resp.Status, resp.Header.Get("Content-Type"))
	}
	return &stream{t, bufio.NewReader(resp.Body)}
}

// next gives the next event.
func (s *stream) next() Event {
	s.t.Helper()
	var e Event
	var id, name string
	for {
		line, err := s.r.ReadString('\n')
		if err != nil {
			s.t.Fatal(err)
		}
		line = strings.TrimSuffix(line, "\n")
		switch {
		case strings.HasPrefix(line, "id: "):
			id = line[4:]
		case strings.HasPrefix(line, "event: "):
			name = line[7:]
		case strings.HasPrefix(line, "data: "):
			if err := json.Unmarshal([]byte(line[6:]), &e); err != nil {
				s.t.Fatal(err)
			}
		case line == "" && name != "":
			if name != e.Type || id == "" || e.Time.IsZero() {
				s.t.Errorf("id %s, name %s, event %+v", id, name, e)
			}
			return e
		}
	}
}

func TestEventStream(t *testing.T) {
	e := start(t, Config{Modems: 2})
	all := openStream(t, e, "?after=0&modem=0")
	faults := openStream(t, e, "?type=fault,port")
	u := dialTone(t, e, 0)
	u.AT("ATD*99#")
	l := u.PPP(ppp.Config{User: "sora", Password: "sora"})
	l.Await()
	if err := e.Modem(1).Inject("sim-out", nil); err != nil {
		t.Fatal(err)
	}
	if err := e.Modem(0).Inject("terminate-request", nil); err != nil {
		t.Fatal(err)
	}
	l.End()
	seen := map[string]bool{}
	for last := uint64(0); !seen["session closed"] || !seen["call ended"] || !seen["fault injected"]; { // the last has no place in the order
		ev := all.next()
		if ev.ID <= last || ev.Modem != 0 {
			t.Errorf("after %d comes %+v", last, ev)
		}
		last = ev.ID
		seen[ev.Type+" "+ev.State] = true
		if ev.Type == "session" && ev.Address == "" || ev.Type == "call" && ev.Port != "ppp" {
			t.Errorf("event %+v", ev)
		}
	}
	want := map[string]bool{
		"boot begins": true, "boot ready": true, "registration 2": true, "registration 1": true, "call began": true, "session opened": true,
		"ppp up": true, "fault injected": true, "session closed": true, "call ended": true,
	}
	if diff := cmp.Diff(want, seen); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for _, want := range []string{"sim-out 1", "terminate-request 0"} {
		if ev := faults.next(); ev.Fault+" "+string(rune('0'+ev.Modem)) != want {
			t.Errorf("event %+v, want %s", ev, want)
		}
	}
}

func TestEventStreamErrors(t *testing.T) {
	e := start(t, Config{})
	for query, want := range map[string]string{
		"?modem=1":    "0 to 0 are there",
		"?modem=x":    "0 to 0 are there",
		"?type=noise": `type \"noise\": allowed are boot, registration`,
		"?after=-1":   "must be the number of an event",
	} {
		if status, text := ask(t, e, "GET", "/v1/events"+query, ""); status != 400 || !strings.Contains(text, want) {
			t.Errorf("%s: %d %s", query, status, text)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	for range eventSubscribers {
		e.Events(ctx, FromNow)
	}
	if status, text := ask(t, e, "GET", "/v1/events", ""); status != 503 || !strings.Contains(text, "64 clients listen already") {
		t.Errorf("one too many: %d %s", status, text)
	}
	for range e.Events(t.Context(), 0) {
		t.Error("an event comes to one too many")
	}
}

// TestSlowListener loses events of its own only.
func TestSlowListener(t *testing.T) {
	var h hub
	slow, _ := h.subscribe(FromNow)
	defer slow.close()
	for range eventsWaiting + 44 {
		h.publish(Event{Type: "boot"})
	}
	if lost := slow.takeLost(); lost != 44 {
		t.Errorf("%d events are lost", lost)
	}
	for range 3 * eventsKept {
		h.publish(Event{Type: "boot"})
	}
	late, missed := h.subscribe(0)
	defer late.close()
	if n := len(missed); n < eventsKept/2 || n > eventsKept || missed[n-1].ID != 3*eventsKept+eventsWaiting+44 {
		t.Errorf("%d events are kept", n)
	}
}

func TestMetrics(t *testing.T) {
	e := start(t, Config{Modems: 2})
	u := dialTone(t, e, 0)
	for range 2 {
		u.AT("ATD*99#")
		l := u.PPP(ppp.Config{User: "sora", Password: "sora"})
		l.Await()
		if err := e.Modem(0).Inject("no-carrier", nil); err != nil {
			t.Fatal(err)
		}
		l.End()
		u.Await("\r\nNO CARRIER\r\n")
	}
	if err := e.InjectFor(AllModems, "silent-link", nil, 0); err != nil {
		t.Fatal(err)
	}
	status, text := ask(t, e, "GET", "/metrics", "")
	if status != 200 {
		t.Fatalf("status %d", status)
	}
	for _, want := range []string{
		`minato_emulator_modem_registered{modem="0"} 1`, `minato_emulator_modem_booting{modem="0"} 0`,
		`minato_emulator_calls_active{modem="0"} 0`, `minato_emulator_calls_total{modem="0"} 2`, `minato_emulator_calls_total{modem="1"} 0`,
		`minato_emulator_sessions_total{modem="0"} 2`, `minato_emulator_ppp_bad_fcs_total{modem="0"} 0`,
		`minato_emulator_faults_injected_total{fault="no-carrier",modem="0"} 2`, `minato_emulator_faults_injected_total{fault="silent-link",modem="1"} 1`,
		`minato_emulator_faults_active{modem="1"} 1`, "go_goroutines ", "process_resident_memory_bytes ",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %s in the metrics", want)
		}
	}
	for _, name := range []string{"ppp_frames_total", "ppp_bytes_total"} {
		for _, direction := range []string{"up", "down"} {
			if series := "minato_emulator_" + name + `{direction="` + direction + `",modem="0"} `; !strings.Contains(text, series) || strings.Contains(text, series+"0\n") {
				t.Errorf("nothing is counted in %s", series)
			}
		}
	}
}
