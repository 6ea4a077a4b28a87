package fault

import (
	"sync"
	"sync/atomic"
	"time"
)

// background runs f on a goroutine of its own; clear tells it to stop, and waits for it.
func background(f func(stop <-chan struct{})) (clear func()) {
	stop := make(chan struct{})
	var running sync.WaitGroup
	running.Go(func() { f(stop) }) // ends by clear
	return func() {
		close(stop)
		running.Wait()
	}
}

// pause waits; it is false when stop came first.
func pause(stop <-chan struct{}, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-stop:
		return false
	case <-t.C:
		return true
	}
}

// budget is how many command lines a fault still hits.
type budget struct {
	endless bool
	left    atomic.Int64
}

func newBudget(count int) *budget {
	b := &budget{endless: count == 0}
	b.left.Store(int64(count))
	return b
}

// take uses one up, if there is one.
func (b *budget) take() bool { return b.endless || b.left.Add(-1) >= 0 }
