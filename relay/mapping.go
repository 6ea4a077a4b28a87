package relay

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"minato/relay/store"
)

// Why a mapping ended, told to its connections as their context's cause.
var (
	errExpired  = errors.New("the mapping expired")
	errDeleted  = errors.New("the mapping was deleted")
	errShutdown = errors.New("the relay is shutting down")
)

// portMapping is one mapping whose port is open on this node.
//
//	          start                end(expired | deleted | shutdown)
//	bound ------------> serving ------------------------------------> ended
//	(clients queue in               port closed, connections cut,
//	 the kernel)                    every goroutine has ended
//
// It is bound before it is stored and serves after: a port that the API has answered is always open.
type portMapping struct {
	store.Mapping
	relay    *Relay
	log      *slog.Logger
	listener net.Listener

	ctx       context.Context // of its connections
	cut       context.CancelCauseFunc
	wg        sync.WaitGroup // accept loop and connections
	live      atomic.Int64   // connections
	stopTimer func()
}

func (r *Relay) newPortMapping(m store.Mapping, l net.Listener) *portMapping {
	pm := &portMapping{
		Mapping:  m,
		relay:    r,
		log:      r.log.With("mapping", m.Addr().String(), "sim", m.SIMID),
		listener: l,
	}
	pm.ctx, pm.cut = context.WithCancelCause(context.Background())
	return pm
}

// start serves clients, and arms the mapping's end.
func (pm *portMapping) start() {
	pm.wg.Add(1)
	go pm.acceptLoop()
	pm.armTimer()
}

// armTimer sees to the exact end. The timer's goroutine is counted by the set, because it outlives what it ends.
func (pm *portMapping) armTimer() {
	timers, clock := &pm.relay.mappings.timers, pm.relay.cfg.Clock
	timers.Add(1)
	stop := clock.AfterFunc(pm.ExpiresAt.Sub(clock.Now()), func() {
		defer timers.Done()
		pm.relay.expire(pm)
	})
	pm.stopTimer = func() {
		if stop() {
			timers.Done()
		}
	}
}

// acceptLoop ends when the listener is closed.
func (pm *portMapping) acceptLoop() {
	defer pm.wg.Done()
	const longestPause = time.Second
	pause := 5 * time.Millisecond
	for {
		conn, err := pm.listener.Accept()
		if err != nil {
			if errors.Is(err, net.ErrClosed) || pm.ctx.Err() != nil {
				return
			}
			// Out of descriptors, or a client that left early: the port must not be lost over it.
			pm.log.Error("accepting a connection", "error", err)
			select {
			case <-time.After(pause):
			case <-pm.ctx.Done():
				return
			}
			pause = min(2*pause, longestPause)
			continue
		}
		pause = 5 * time.Millisecond
		pm.live.Add(1)
		pm.wg.Add(1)
		go func() { // ends with the connection; pm.ctx cuts it
			defer pm.wg.Done()
			defer pm.live.Add(-1)
			newConnection(pm, conn).serve(pm.ctx)
		}()
	}
}

// closePort takes no more clients. Live connections go on.
func (pm *portMapping) closePort() {
	if pm.stopTimer != nil {
		pm.stopTimer()
	}
	pm.listener.Close()
}

// end closes the port, cuts the connections and waits for them. The caller has taken pm out of the set, so that it ends once.
func (pm *portMapping) end(why error) {
	pm.closePort()
	pm.cut(why)
	pm.wg.Wait()
}
