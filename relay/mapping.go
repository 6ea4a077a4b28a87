package relay

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"minato/relay/store"
)

// portMapping is one mapping whose port is open on this node.
//
//	          start                end(expired | deleted)                  forget
//	bound ------------> serving --------------------------> remembered -------------> ended
//	(clients queue in      |        connections cut,         (clients are refused      port closed, every
//	 the kernel)           |        none is left              with cause R13)          goroutine has ended
//	                       +------------------------------------------------------------^
//	                          end(shutdown), or nothing is to be remembered
//
// It is bound before it is stored and serves after: a port that the API has answered is always open. Only a mapping that was stored before a
// restart may serve without a port: another program holds it, and it is tried again and again.
type portMapping struct {
	store.Mapping // as it was when its port was opened; what may change since (its end, its use) is in current
	relay         *Relay
	log           *slog.Logger

	ctx  context.Context // of its connections
	cut  context.CancelCauseFunc
	loop sync.WaitGroup // accepting, or trying to open the port
	live atomic.Int64   // connections that were let in
	wg   sync.WaitGroup // connections; grows under mu only

	changing sync.Mutex // held while an extension or a delete is written, and by an expiry while it looks at the end

	mu           sync.Mutex
	current      store.Mapping   // guarded by mu
	listener     net.Listener    // guarded by mu; nil: the port is not open
	ended        bool            // guarded by mu: clients are refused
	over         time.Time       // guarded by mu: since when; zero: it has not ended, or not here
	refusing     context.Context // guarded by mu: of the connections that are refused after the end
	stopRefusing context.CancelFunc
	armed        int    // guarded by mappingSet.mu: times that its timer was
	stopTimer    func() // guarded by mappingSet.mu or by whoever has taken the mapping out of the set

	deviceBanner banner
}

func (r *Relay) newPortMapping(m store.Mapping, l net.Listener) *portMapping {
	pm := &portMapping{
		Mapping:  m,
		relay:    r,
		log:      r.log.With("mapping", m.Addr().String(), "sim", m.SIMID),
		listener: l,
		current:  m,
	}
	pm.ctx, pm.cut = context.WithCancelCause(context.Background())
	pm.refusing, pm.stopRefusing = context.WithCancel(context.Background())
	return pm
}

// mapping is what is stored of it now.
func (pm *portMapping) mapping() store.Mapping {
	pm.mu.Lock()
	defer pm.mu.Unlock()
	return pm.current
}

// update takes over what was stored, unless what is known is later: who wrote last may be here first.
func (pm *portMapping) update(m store.Mapping) {
	pm.mu.Lock()
	defer pm.mu.Unlock()
	if m.Revision > pm.current.Revision {
		pm.current = m
	}
}

// hasEnded also asks the clock: a timer does not see it being set.
func (pm *portMapping) hasEnded(now time.Time) bool {
	pm.mu.Lock()
	defer pm.mu.Unlock()
	return pm.ended || pm.current.SpentBy != "" || pm.current.Expired(now)
}

// endedAt is when it ended, which a delete or its one connection may have made earlier than was planned.
func (pm *portMapping) endedAt() time.Time {
	pm.mu.Lock()
	defer pm.mu.Unlock()
	if !pm.over.IsZero() && pm.over.Before(pm.current.ExpiresAt) {
		return pm.over
	}
	return pm.current.ExpiresAt
}

func (pm *portMapping) allows(a netip.Addr) bool { return contains(pm.Sources, a) }

// start serves clients, and arms the mapping's end.
func (pm *portMapping) start() {
	pm.loop.Add(1)
	if pm.listener != nil {
		go pm.acceptLoop(pm.listener)
	} else {
		go pm.bindLoop()
	}
	pm.armTimer()
}

// bindInterval is how often a port that another program holds is tried again.
const bindInterval = time.Second

// bindLoop tries to open the port until it is open or the mapping ends.
func (pm *portMapping) bindLoop() {
	tick := time.NewTicker(bindInterval)
	defer tick.Stop()
	for {
		select {
		case <-pm.ctx.Done():
			pm.loop.Done()
			return
		case <-tick.C:
		}
		l, err := pm.relay.listenMapping(pm.Port)
		if err != nil {
			continue
		}
		pm.mu.Lock()
		ended := pm.ended
		if !ended {
			pm.listener = l // from here on whoever ends the mapping closes it
		}
		pm.mu.Unlock()
		if ended {
			l.Close()
			continue
		}
		pm.log.Info("opened the mapping's port after all")
		pm.acceptLoop(l)
		return
	}
}

// acceptLoop ends when the listener is closed.
func (pm *portMapping) acceptLoop(l net.Listener) {
	defer pm.loop.Done()
	const longestPause = time.Second
	pause := 5 * time.Millisecond
	for {
		conn, err := l.Accept()
		if err != nil {
			if errors.Is(err, net.ErrClosed) || pm.refusing.Err() != nil {
				return
			}
			// Out of descriptors, or a client that left early: the port must not be lost over it.
			pm.log.Error("accepting a connection", "error", err)
			select {
			case <-time.After(pause):
			case <-pm.refusing.Done():
				return
			}
			pause = min(2*pause, longestPause)
			continue
		}
		pause = 5 * time.Millisecond
		pm.relay.accepted.Add(1)
		ctx, done := pm.enter()
		if ctx == nil {
			pm.loop.Add(1) // this loop itself is counted: it cannot be at zero here
			ctx, done = pm.refusing, pm.loop.Done
		}
		pm.relay.workers.do(func() { newConnection(pm, conn).serve(ctx, done) }) // ends with the connection, or leaves it to the splice; ctx cuts both
	}
}

// enter gives a new connection the context that cuts it, and counts it in until done. Nil: the mapping has ended, and only its accept loop may refuse
// clients, which the end waits for.
func (pm *portMapping) enter() (ctx context.Context, done func()) {
	pm.mu.Lock()
	defer pm.mu.Unlock()
	if pm.ended {
		return nil, nil
	}
	pm.wg.Add(1)
	return pm.ctx, pm.wg.Done
}

// dial connects to the device's port.
func (pm *portMapping) dial(ctx context.Context) (net.Conn, error) {
	return pm.relay.dialDevice(ctx, pm.SIMID, pm.DevicePort)
}

// closePort takes no more clients. Live connections go on.
func (pm *portMapping) closePort() {
	pm.mu.Lock()
	l := pm.listener
	pm.mu.Unlock()
	if pm.stopTimer != nil {
		pm.stopTimer()
	}
	if l != nil {
		l.Close()
	}
}

// end cuts the connections and waits for them; the port goes on to refuse. The caller has taken pm out of the set, so that it ends once, and
// calls forget later.
func (pm *portMapping) end(why error) {
	if pm.stopTimer != nil {
		pm.stopTimer()
	}
	pm.mu.Lock()
	pm.ended, pm.over = true, pm.relay.cfg.Clock.Now()
	pm.mu.Unlock()
	pm.cut(why)
	pm.wg.Wait()
}

// forget closes the port, and waits for everything that the mapping started.
func (pm *portMapping) forget() {
	pm.mu.Lock()
	pm.ended = true
	l := pm.listener
	pm.mu.Unlock()
	pm.stopRefusing()
	if l != nil {
		l.Close()
	}
	pm.loop.Wait()
}
