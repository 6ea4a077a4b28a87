package relay

import "time"

// reminder wakes its one reader an interval of the clock after each time that it is set.
type reminder struct {
	C     chan struct{}
	clock Clock
	every time.Duration
	stop  func() bool // the last setting
}

func newReminder(clock Clock, every time.Duration) *reminder {
	r := &reminder{C: make(chan struct{}, 1), clock: clock, every: every}
	r.set()
	return r
}

// set is for the beginning, and for a reader that has been woken.
func (r *reminder) set() { r.stop = r.clock.AfterFunc(r.every, func() { r.C <- struct{}{} }) }

func (r *reminder) end() { r.stop() }
