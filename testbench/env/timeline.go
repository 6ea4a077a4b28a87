package env

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"minato/testbench/report"
)

// How often the first device's link is looked at: often in a short story, and less the longer it takes, since its drawing is as wide as any.
const (
	firstInterval = 20 * time.Millisecond
	lastInterval  = 250 * time.Millisecond
	looksInAll    = 200
)

// timeline looks at the first device through the emulator's control API for as long as the environment runs.
type timeline struct {
	client  *http.Client
	control string // the control API's address, which an emulator that is started again keeps
	sim     string

	cancel context.CancelFunc
	done   chan struct{}

	// Of the goroutine that looks, until done is closed.
	looks []look
}

// look is a sample with the moment it was taken.
type look struct {
	report.Sample
	at       time.Time
	session  time.Time // when the session began; zero: none
	up, down int64     // counters of the session
}

// startTimeline begins to look. The emulator runs already.
func (e *Env) startTimeline() {
	ctx, cancel := context.WithCancel(context.WithoutCancel(e.ctx))
	e.timeline = &timeline{
		client: &http.Client{Transport: &http.Transport{}, Timeout: time.Second}, control: e.Address.Control, sim: e.SIM().ID,
		cancel: cancel, done: make(chan struct{}),
	}
	go e.timeline.run(ctx) // ends with stop
}

// stop takes a last look, and waits. Nil has nothing to stop.
func (t *timeline) stop() {
	if t == nil {
		return
	}
	t.cancel()
	<-t.done
}

// Timeline is what was seen of the first device's link, on a clock that began at started. Nil: nothing was. Call it after Close.
func (e *Env) Timeline(started time.Time) *report.Timeline {
	if e.timeline == nil {
		return nil
	}
	var t report.Timeline
	for _, l := range e.timeline.looks {
		l.At = max(l.at.Sub(started), 0)
		t.Add(l.Sample)
	}
	return &t
}

func (t *timeline) run(ctx context.Context) {
	defer close(t.done)
	defer t.client.CloseIdleConnections()
	began := time.Now()
	tick := time.NewTimer(firstInterval)
	defer tick.Stop()
	for {
		t.look(context.WithoutCancel(ctx))
		tick.Reset(min(max(time.Since(began)/looksInAll, firstInterval), lastInterval))
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.look(context.WithoutCancel(ctx))
			return
		}
	}
}

// look takes one sample. Where the emulator does not answer there is neither modem nor network.
func (t *timeline) look(ctx context.Context) {
	now := look{at: time.Now(), Sample: report.Sample{Link: report.LinkGone}}
	var before look
	if n := len(t.looks); n > 0 {
		before = t.looks[n-1]
	}
	now.Up, now.Down = before.Up, before.Down
	now.session, now.up, now.down = before.session, before.up, before.down
	var modem struct {
		SIM          string `json:"sim"`
		Booting      bool   `json:"booting"`
		Registration int    `json:"registration"`
		CSQ          int    `json:"csq"`
	}
	var sim struct {
		Online    bool      `json:"online"`
		Since     time.Time `json:"since"`
		BytesUp   int64     `json:"bytesUp"`
		BytesDown int64     `json:"bytesDown"`
	}
	if t.get(ctx, "/v1/modems/0", &modem) == nil && t.get(ctx, "/v1/sims/"+t.sim, &sim) == nil {
		const home, roaming, unknown = 1, 5, 99
		switch {
		case modem.Booting:
			now.Link = report.LinkBooting
		case modem.SIM != "READY":
			now.Link = report.LinkNoSIM
		case sim.Online:
			now.Link = report.LinkOnline
		case modem.Registration == home || modem.Registration == roaming:
			now.Link = report.LinkRegistered
		default:
			now.Link = report.LinkSearching
		}
		if modem.CSQ != unknown {
			now.Signal = 2*modem.CSQ - 113 // TS 27.007 section 8.5
		}
		if sim.Online && sim.Since.After(before.at) {
			t.began(sim.Since, before, now)
		}
		if now.session, now.up, now.down = sim.Since, sim.BytesUp, sim.BytesDown; now.session.Equal(before.session) {
			now.Up, now.Down = before.Up+now.up-before.up, before.Down+now.down-before.down
		} else {
			now.Up, now.Down = before.Up+now.up, before.Down+now.down
		}
	}
	t.looks = append(t.looks, now)
}

// began adds the moment when the session began that is seen now: between two looks, the second of which may be late on a busy machine.
func (t *timeline) began(at time.Time, before, now look) {
	began := before
	began.Signal = now.Signal
	if before.Link == report.LinkOnline { // with another session, which has ended
		began.at, began.Link = at.Add(-time.Millisecond), report.LinkRegistered
		t.looks = append(t.looks, began)
	}
	began.at, began.Link = at, report.LinkOnline
	t.looks = append(t.looks, began)
}

func (t *timeline) get(ctx context.Context, path string, answer any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+t.control+path, nil)
	if err != nil {
		return err
	}
	resp, err := t.client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", path, resp.Status)
	}
	return json.NewDecoder(resp.Body).Decode(answer)
}
