package ppp

import "time"

// echo is the keep-alive, beside the automaton: a line without DCD is found dead by nothing else.
type echo struct {
	interval time.Duration
	failures int
	timer    *time.Timer
	missed   int
}

func newEcho(cfg Config) *echo {
	return &echo{interval: cfg.EchoInterval, failures: cfg.EchoFailures, timer: stoppedTimer()}
}

func (e *echo) start() {
	if e.interval > 0 {
		e.missed = 0
		e.timer.Reset(e.interval)
	}
}

func (e *echo) stop() { e.timer.Stop() }

func (e *echo) answered() { e.missed = 0 }

// due is called when the timer fires; it tells whether to ask once more, or else that the link is dead.
func (e *echo) due() (ask bool) {
	if e.missed >= e.failures {
		return false
	}
	e.missed++
	e.timer.Reset(e.interval)
	return true
}
