package relay

import (
	"context"
	"runtime/debug"
	"sync"
	"time"

	"minato/relay/splice"
)

const (
	trimInterval = 2 * time.Second
	trimAfter    = 100 // connections that make a burst
)

// watchConnections starts what all connections share: the parker, which must outlast them, the trimmer, and the workers. The function it returns
// ends all.
func (r *Relay) watchConnections() (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	parker, err := splice.NewParker()
	if err != nil {
		r.log.Warn("silent connections will take more memory", "error", err)
	} else {
		r.parker = parker
		running.Go(func() {
			if err := parker.Run(ctx); err != nil {
				r.log.Error("silent connections are stuck", "error", err)
			}
		})
	}
	running.Go(func() { r.trimLoop(ctx) })
	running.Go(func() { r.workers.run(ctx) })
	return func() { cancel(); running.Wait() }
}

// trimLoop gives memory back to the system once a burst of connections is over: handshakes need stacks and garbage that silent connections do
// not, and Go alone would keep them for minutes. It ends with ctx.
func (r *Relay) trimLoop(ctx context.Context) {
	tick := time.NewTicker(trimInterval)
	defer tick.Stop()
	var seen, trimmed int64
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		accepted := r.accepted.Load()
		if accepted == seen && accepted-trimmed >= trimAfter {
			trimmed = accepted
			debug.FreeOSMemory()
		}
		seen = accepted
	}
}
