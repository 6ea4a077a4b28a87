package relay

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// idleWorkers is how many wait for work.
func idleWorkers(w *workers) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.idle)
}

// Work goes to a worker that is idle, and to a new one where none is: never behind other work.
func TestWorkersTakeWork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var w workers
		ctx, end := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() { w.run(ctx) })
		release := make(chan struct{})
		held, done := 0, 0
		for range 3 {
			w.do(func() { held++; <-release; done++ })
			synctest.Wait() // one after the other: nothing else guards the counters
		}
		if held != 3 {
			t.Errorf("%d of 3 pieces of work have begun beside each other", held)
		}
		for i := range 3 {
			release <- struct{}{}
			synctest.Wait()
			if n := idleWorkers(&w); done != i+1 || n != i+1 {
				t.Errorf("%d are done and %d workers idle, want %d", done, n, i+1)
			}
		}
		w.do(func() { <-release })
		synctest.Wait()
		if n := idleWorkers(&w); n != 2 {
			t.Errorf("%d workers are idle, want 2: one was to take the work", n)
		}
		release <- struct{}{}
		end()
		running.Wait()
	})
}

// A worker ends when it has been idle for a while. The one that was busy last is not the one.
func TestWorkersEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var w workers
		ctx, end := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() { w.run(ctx) })
		var two sync.WaitGroup
		two.Add(2)
		for range 2 {
			w.do(func() { two.Done(); two.Wait() })
		}
		for range 10 {
			time.Sleep(workerIdle / 2)
			w.do(func() {})
			synctest.Wait()
		}
		if n := idleWorkers(&w); n != 1 {
			t.Errorf("%d workers are idle, want the one that has work now and then", n)
		}
		time.Sleep(2*workerIdle + 1)
		if n := idleWorkers(&w); n != 0 {
			t.Errorf("%d workers are idle after %v without work", n, 2*workerIdle)
		}
		end()
		running.Wait()
	})
}

// The end waits for work that is under way, and leaves no worker (or the bubble would not end).
func TestWorkersStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var w workers
		ctx, end := context.WithCancel(t.Context())
		done := false
		w.do(func() {})
		synctest.Wait()
		w.do(func() { time.Sleep(time.Hour); done = true })
		w.do(func() {})
		end()
		w.run(ctx)
		if !done {
			t.Error("ended before the last work")
		}
	})
}
