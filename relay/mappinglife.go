package relay

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"math/big"
	"net/netip"
	"syscall"
	"time"

	"minato/relay/store"
)

// The order of writes, which makes that after any crash an answered create or delete is what is found:
//
//	create   port opened -> stored and synced -> CREATED synced -> served -> answered
//	delete   removed and synced -> connections cut -> DELETED synced -> answered
//	extend   stored and synced -> EXTENDED synced -> timer set -> answered
//	expiry   connections cut -> removed and synced -> EXPIRED synced
//
// An expiry waits for an extension that is under way, which was asked for before the end.
//
// A crash between two of them leaves a mapping that was never answered, which lives until its end like any other; or one that is gone and
// whose DELETED is missing, though its DELETE was never answered; or an entry past its end, which the next start removes with EXPIRED.

// createMapping opens a free port, stores the mapping and serves it. m has everything but its port.
func (r *Relay) createMapping(ctx context.Context, m store.Mapping, caller netip.AddrPort) (store.Mapping, error) {
	stored, err := r.createOnFreePort(ctx, m, caller, false)
	if errors.Is(err, errNoPort) {
		stored, err = r.createOnFreePort(ctx, m, caller, true)
	}
	return stored, err
}

// createOnFreePort tries the ports from a random one on. The ports of ended mappings are left to refuse their clients, as long as others are free.
func (r *Relay) createOnFreePort(ctx context.Context, m store.Mapping, caller netip.AddrPort, release bool) (store.Mapping, error) {
	first, last := int(r.cfg.Ports[0]), int(r.cfg.Ports[1])
	n := last - first + 1
	start, err := rand.Int(rand.Reader, big.NewInt(int64(n)))
	if err != nil {
		return m, fmt.Errorf("choosing a port: %w", err)
	}
	for i := range n {
		m.Port = uint16(first + (int(start.Int64())+i)%n)
		if r.mappings.holds(m.Addr()) {
			continue
		}
		if release {
			r.release(m.Addr())
		}
		l, err := r.listenMapping(m.Port)
		if errors.Is(err, syscall.EADDRINUSE) {
			continue
		}
		if err != nil {
			return m, fmt.Errorf("opening port %d: %w", m.Port, err)
		}
		stored, err := r.store.CreateMapping(ctx, m)
		if errors.Is(err, store.ErrExists) { // another node's
			l.Close()
			continue
		}
		if err != nil {
			l.Close()
			return m, fmt.Errorf("storing the mapping: %w", err)
		}
		r.auditMapping(store.Created, stored, caller)
		if !r.mappings.add(r.newPortMapping(stored, l)) {
			l.Close() // it opens at the next start
		}
		return stored, nil
	}
	return m, fmt.Errorf("%w in %d-%d", errNoPort, first, last)
}

// deleteMapping ends a mapping before its time. When it returns its connections are cut, and its port is closed or refuses.
func (r *Relay) deleteMapping(ctx context.Context, addr netip.AddrPort, caller netip.AddrPort) error {
	m, err := r.store.DeleteMapping(ctx, addr)
	if err != nil {
		return err
	}
	if pm := r.mappings.take(addr); pm != nil {
		pm.end(errDeleted)
		r.remember(pm)
	}
	r.auditMapping(store.Deleted, m, caller)
	return nil
}

// extendMapping gives a mapping another end. Its connections go on.
func (r *Relay) extendMapping(ctx context.Context, m store.Mapping, end time.Time, caller netip.AddrPort) (store.Mapping, error) {
	if pm := r.mappings.get(m.Addr()); pm != nil {
		pm.extending.Lock()
		defer pm.extending.Unlock()
	}
	// A caller who leaves while it is written must not keep the mapping from learning of it.
	extended, err := r.store.ExtendMapping(context.WithoutCancel(ctx), m, end)
	if err != nil {
		return m, err
	}
	r.auditMapping(store.Extended, extended, caller)
	s := &r.mappings
	s.mu.Lock()
	defer s.mu.Unlock()
	if pm := s.byAddr[m.Addr()]; pm != nil {
		pm.stopTimer()
		pm.update(extended)
		pm.armTimer()
	}
	return extended, nil
}

// expire ends a mapping whose timer fired.
func (r *Relay) expire(pm *portMapping) {
	if !r.takeExpired(pm) {
		return // deleted or extended, or the relay is ending
	}
	pm.end(errExpired)
	r.remember(pm)
	r.recordExpiry(pm.mapping())
}

// takeExpired takes a mapping out of the set if its end has come.
func (r *Relay) takeExpired(pm *portMapping) bool {
	pm.extending.Lock()
	defer pm.extending.Unlock()
	if !r.mappings.takeSame(pm) {
		return false
	}
	if m := pm.mapping(); !m.Expired(r.cfg.Clock.Now()) {
		r.rearm(pm)
		return false
	}
	return true
}

// rearm puts a mapping back whose timer was early, as after the system's clock was set back or its end was moved. Where the relay has begun to end
// meanwhile, nobody else would close its port.
func (r *Relay) rearm(pm *portMapping) {
	if !r.putBack(pm) {
		pm.end(errShutdown)
		pm.forget()
	}
}

func (r *Relay) putBack(pm *portMapping) bool {
	r.mappings.mu.Lock()
	defer r.mappings.mu.Unlock()
	if r.mappings.closed || r.mappings.byAddr[pm.Addr()] != nil {
		return false
	}
	r.mappings.byAddr[pm.Addr()] = pm
	pm.stopTimer() // an extension may have armed one while this one fired
	pm.armTimer()
	return true
}

// recordExpiry removes an ended mapping from the store and writes EXPIRED, unless another node has.
func (r *Relay) recordExpiry(m store.Mapping) {
	r.recordEnd(m, r.store.ExpireMapping(context.Background(), m))
}

// recordSpent is recordExpiry for a one-time mapping whose connection has ended.
func (r *Relay) recordSpent(m store.Mapping) {
	_, err := r.store.DeleteMapping(context.Background(), m.Addr())
	r.recordEnd(m, err)
}

func (r *Relay) recordEnd(m store.Mapping, err error) {
	switch {
	case errors.Is(err, store.ErrNotFound):
	case err != nil:
		r.log.Error("removing an ended mapping", "mapping", m.Addr().String(), "error", err)
	default:
		r.auditMapping(store.Expired, m, netip.AddrPort{})
	}
}

// spend uses up a one-time mapping: of all the connections that try, on any node, one may go on.
func (c *connection) spend(ctx context.Context) bool {
	pm := c.mapping
	m := pm.mapping()
	if !m.OneTime {
		return true
	}
	spent, err := pm.relay.store.SpendMapping(ctx, m, c.entry.ConnectionID)
	if errors.Is(err, store.ErrConflict) { // extended in the meantime, or another connection was faster
		if m, err = pm.relay.store.Mapping(ctx, m.Addr()); err == nil {
			spent, err = pm.relay.store.SpendMapping(ctx, m, c.entry.ConnectionID)
		}
	}
	if err != nil {
		if !errors.Is(err, store.ErrNotFound) && !errors.Is(err, store.ErrConflict) {
			pm.log.Error("using up a one-time mapping", "error", err)
		}
		return false
	}
	pm.update(spent)
	return true
}

// connectionEnded ends a one-time mapping with the connection that used it up.
func (pm *portMapping) connectionEnded(c *connection) {
	r := pm.relay
	if m := pm.mapping(); m.SpentBy != c.entry.ConnectionID || !r.mappings.takeSame(pm) {
		return
	}
	r.mappings.timers.Add(1)
	go func() { // not on the connection's goroutine, which the end waits for
		defer r.mappings.timers.Done()
		pm.end(errExpired)
		r.remember(pm)
		r.recordSpent(pm.mapping())
	}()
}

// bound tells whether the port is open.
func (pm *portMapping) bound() bool {
	pm.mu.Lock()
	defer pm.mu.Unlock()
	return pm.listener != nil
}

// drained waits until the accepting has ended, and every connection.
func (pm *portMapping) drained() {
	if pm.bound() {
		pm.loop.Wait()
	}
	pm.wg.Wait()
}
