package relay

import (
	"context"
	"slices"
	"sync"
	"time"
)

// workers run what connections do, and what follows an answer of the API, on goroutines that stay for the next one: a TLS handshake needs a big stack, a TLS record a middling one, and
// to grow a stack anew each time costs more than to keep it for a moment. Who was busy last is taken first, so that the others end.
type workers struct {
	running sync.WaitGroup

	mu   sync.Mutex
	idle []idleWorker // guarded by mu; who was busy last stands last
	over bool         // guarded by mu: who becomes idle ends
}

type idleWorker struct {
	work  chan<- func() // of capacity 1; closed: the worker shall end
	since time.Time
}

// workerIdle is how long a worker waits for work, and twice as long at most. Memory is given back to the system later than that (trimLoop).
const workerIdle = time.Second

// do runs f on a worker.
func (w *workers) do(f func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if n := len(w.idle); n > 0 {
		w.idle[n-1].work <- f
		w.idle[n-1] = idleWorker{}
		w.idle = w.idle[:n-1]
		return
	}
	w.running.Go(func() { w.serve(f) })
}

// serve is a worker. It begins with its first work, and ends some time after its last one.
func (w *workers) serve(f func()) {
	work := make(chan func(), 1)
	for open := true; open; f, open = <-work {
		f()
		w.mu.Lock()
		if w.over {
			w.mu.Unlock()
			return
		}
		w.idle = append(w.idle, idleWorker{work, time.Now()})
		w.mu.Unlock()
	}
}

// run ends workers that have been idle for too long, until ctx ends; then all, after the last work.
func (w *workers) run(ctx context.Context) {
	tick := time.NewTicker(workerIdle)
	defer tick.Stop()
	for ctx.Err() == nil {
		select {
		case now := <-tick.C:
			w.end(now.Add(-workerIdle))
		case <-ctx.Done():
		}
	}
	w.mu.Lock()
	w.over = true
	w.mu.Unlock()
	w.end(time.Now())
	w.running.Wait()
}

// end ends the workers that have been idle since before then.
func (w *workers) end(then time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := 0
	for n < len(w.idle) && !w.idle[n].since.After(then) {
		close(w.idle[n].work)
		n++
	}
	if w.idle = slices.Delete(w.idle, 0, n); len(w.idle) == 0 {
		w.idle = nil // a burst may have made it large
	}
}
