package relay

import (
	"errors"
	"net/netip"
	"sync"
	"time"

	"minato/relay/store"
)

// A mapping ends when the first of two clocks says so. Its timer runs for what was left when it was armed, which no setting of the system's clock
// moves; and once in lookInterval the system's clock is asked, which goes on where timers stand still, as in a machine that sleeps.

// lookInterval is how long connections may go on after the system's clock was set beyond their mapping's end. New ones are refused at once.
const lookInterval = time.Second

// after calls f after d by the clock, unless it is stopped before. The set counts it, because it may outlive what it ends.
func (s *mappingSet) after(clock Clock, d time.Duration, f func()) (stop func()) {
	s.timers.Add(1)
	cancel := clock.AfterFunc(d, func() {
		defer s.timers.Done()
		f()
	})
	return func() {
		if cancel() {
			s.timers.Done()
		}
	}
}

// armTimer sees to the exact end. What is left is bounded here as well as where it was asked for: the clock may have been set back while no relay
// ran. The caller holds mappingSet.mu.
func (pm *portMapping) armTimer() {
	m, clock := pm.mapping(), pm.relay.cfg.Clock
	left := min(m.ExpiresAt.Sub(clock.Now()), m.Duration, maxDuration*time.Second)
	pm.armed++
	armed := pm.armed
	pm.stopTimer = pm.relay.mappings.after(clock, left, func() {
		pm.relay.expire(pm, func() bool { return pm.armed == armed }) // else it was extended while the timer fired
	})
}

// rearm moves a mapping's end to that of what is stored now.
func (s *mappingSet) rearm(pm *portMapping, stored store.Mapping) {
	s.mu.Lock()
	defer s.mu.Unlock()
	pm.update(stored)
	if s.byAddr[pm.Addr()] == pm {
		pm.stopTimer()
		pm.armTimer()
	}
}

// watchClock looks for mappings that have ended by the system's clock, until the set is closed.
func (r *Relay) watchClock() {
	s := &r.mappings
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return
	}
	s.stopWatch = s.after(r.cfg.Clock, lookInterval, func() {
		r.watchClock()
		r.expirePast()
	})
}

// expirePast ends the mappings that have ended by the system's clock. It returns when their connections are cut.
func (r *Relay) expirePast() {
	var ending sync.WaitGroup
	for _, pm := range r.mappings.past(r.cfg.Clock.Now()) {
		ending.Go(func() { r.expire(pm, func() bool { return pm.isPast(r.cfg.Clock.Now()) }) })
	}
	ending.Wait()
}

// past are the mappings that have ended by a time of day.
func (s *mappingSet) past(now time.Time) (past []*portMapping) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, pm := range s.byAddr {
		if pm.isPast(now) {
			past = append(past, pm)
		}
	}
	return past
}

func (pm *portMapping) isPast(now time.Time) bool {
	pm.mu.Lock()
	defer pm.mu.Unlock()
	return pm.current.Expired(now)
}

// expire ends a mapping, if its end has come still when nobody is changing it.
func (r *Relay) expire(pm *portMapping, hasCome func() bool) {
	if !r.takeExpired(pm, hasCome) {
		return // deleted or extended, or the relay is ending
	}
	pm.end(errExpired)
	r.remember(pm, rememberFor)
	r.recordExpiry(pm.mapping())
}

func (r *Relay) takeExpired(pm *portMapping, hasCome func() bool) bool {
	pm.changing.Lock()
	defer pm.changing.Unlock()
	s := &r.mappings
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.byAddr[pm.Addr()] != pm || !hasCome() {
		return false
	}
	delete(s.byAddr, pm.Addr())
	return true
}

// recordExpiry removes an ended mapping from the store and writes EXPIRED, unless another node has.
func (r *Relay) recordExpiry(m store.Mapping) {
	switch err := r.unstoreEnded(m); {
	case errors.Is(err, store.ErrNotFound):
	case err != nil:
		r.log.Error("removing an ended mapping", "mapping", m.Addr().String(), "error", err)
	default:
		r.auditMapping(store.Expired, m, netip.AddrPort{})
	}
}
