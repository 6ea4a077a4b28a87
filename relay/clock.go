package relay

import "time"

// Clock tells the time and wakes after some time. Mappings end by it, so that a test can move eight hours at once. Deadlines
// on sockets are the kernel's and do not follow it.
type Clock interface {
	// Now is the system's time of day, which may be set forward and back.
	Now() time.Time
	// AfterFunc calls f in its own goroutine after d, which no setting of the time of day moves. The answer cancels it, and says whether f will not be called.
	AfterFunc(d time.Duration, f func()) (stop func() bool)
}

type systemClock struct{}

func (systemClock) Now() time.Time { return time.Now() }

func (systemClock) AfterFunc(d time.Duration, f func()) (stop func() bool) {
	return time.AfterFunc(d, f).Stop
}
