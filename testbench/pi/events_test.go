//go:build pi

package pi

import (
	"bufio"
	"encoding/json"
	"net/http"
	"strings"

	"minato/emulator"
)

// modemEvents gives what happens to the modem from now on, until the end of the test.
func (w *world) modemEvents() <-chan emulator.Event {
	w.Helper()
	req, err := http.NewRequestWithContext(w.ctx, http.MethodGet, "http://"+w.Address.Control+"/v1/events?type=call,session", nil)
	if err != nil {
		w.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		w.Fatal(err)
	}
	events := make(chan emulator.Event)
	go func() {
		defer close(events)
		defer resp.Body.Close()
		for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
			data, ok := strings.CutPrefix(lines.Text(), "data: ")
			var e emulator.Event
			if !ok || json.Unmarshal([]byte(data), &e) != nil {
				continue
			}
			select {
			case events <- e:
			case <-w.ctx.Done():
				return
			}
		}
	}()
	return events
}

// awaitHangUp waits for the end of call and session, which the device must have brought about by the end of PPP: to the modem that is no error.
func (w *world) awaitHangUp(events <-chan emulator.Event) {
	w.Helper()
	for over := map[string]bool{}; !over["call ended"] || !over["session closed"]; {
		select {
		case e, ok := <-events:
			if !ok {
				w.Fatal("the emulator's events have ended")
			}
			w.tell("the modem: %s %s %s", e.Type, e.State, e.Reason)
			over[e.Type+" "+e.State] = true
			if e.Type == "call" && e.State == "ended" && e.Reason != "" {
				w.Errorf("the call was not ended in an orderly way: %s", e.Reason)
			}
		case <-w.ctx.Done():
			w.Fatal("call or session go on")
		}
	}
}
