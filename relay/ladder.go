package relay

import (
	"sync"
	"time"

	"minato/relay/store"
)

// Who did a step of a ladder.
const (
	fromClient = "client"
	fromRelay  = "relay"
	fromDevice = "device"
)

// maxSteps bounds a ladder: steps are few by nature, but both ends choose some of them.
const maxSteps = 40

// usualSteps are there when a connection with the TLS option has reached the device, and both sides have spoken.
const usualSteps = 8

// ladder is what happened on a connection, step by step: kinds and sizes, never what was said.
type ladder struct {
	began time.Time // by the clock of the machine: steps are fractions of seconds apart

	mu    sync.Mutex
	steps []store.Step // guarded by mu
}

func (l *ladder) add(from string, what store.Words, bytes int64) {
	after := time.Since(l.began).Truncate(time.Microsecond)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.steps == nil {
		l.steps = make([]store.Step, 0, usualSteps)
	}
	if len(l.steps) < maxSteps {
		l.steps = append(l.steps, store.Step{After: after, From: from, What: what, Bytes: bytes})
	}
}

func (l *ladder) all() []store.Step {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]store.Step(nil), l.steps...)
}
