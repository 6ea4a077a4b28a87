package relay

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"math/big"
	"net"
	"net/netip"
	"sync"
	"syscall"

	"minato/relay/store"
)

// errNoPort is answered when every port of the range is taken.
var errNoPort = errors.New("no public port is free")

// mappingSet holds the mappings whose ports are open here. The store decides what exists; this is what follows from it.
type mappingSet struct {
	mu     sync.Mutex
	byAddr map[netip.AddrPort]*portMapping // guarded by mu; nil before the first
	closed bool                            // guarded by mu: the relay is ending, none may be added

	timers sync.WaitGroup // goroutines and armed timers of expiry
}

// add puts a mapping in and starts it, unless the relay is ending.
func (s *mappingSet) add(pm *portMapping) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	if s.byAddr == nil {
		s.byAddr = make(map[netip.AddrPort]*portMapping)
	}
	s.byAddr[pm.Addr()] = pm
	pm.start()
	return true
}

// take removes a mapping, so that exactly one ends it.
func (s *mappingSet) take(addr netip.AddrPort) *portMapping {
	s.mu.Lock()
	defer s.mu.Unlock()
	pm := s.byAddr[addr]
	delete(s.byAddr, addr)
	return pm
}

// takeSame is take for a mapping that may have been replaced by another on its port.
func (s *mappingSet) takeSame(pm *portMapping) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.byAddr[pm.Addr()] != pm {
		return false
	}
	delete(s.byAddr, pm.Addr())
	return true
}

func (s *mappingSet) holds(addr netip.AddrPort) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.byAddr[addr] != nil
}

// createMapping opens a free port, stores the mapping and serves it. m has everything but its port.
func (r *Relay) createMapping(ctx context.Context, m store.Mapping, caller netip.AddrPort) (store.Mapping, error) {
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

func (r *Relay) listenMapping(port uint16) (net.Listener, error) {
	return r.cfg.Listen("tcp", netip.AddrPortFrom(r.cfg.MappingIP, port).String())
}

// deleteMapping ends a mapping before its time. When it returns its port is closed and its connections are cut.
func (r *Relay) deleteMapping(ctx context.Context, addr netip.AddrPort, caller netip.AddrPort) error {
	m, err := r.store.DeleteMapping(ctx, addr)
	if err != nil {
		return err
	}
	if pm := r.mappings.take(addr); pm != nil {
		pm.end(errDeleted)
	}
	r.auditMapping(store.Deleted, m, caller)
	return nil
}

// expire ends a mapping whose timer fired.
func (r *Relay) expire(pm *portMapping) {
	if !r.mappings.takeSame(pm) {
		return // deleted, or the relay is ending
	}
	if !pm.Expired(r.cfg.Clock.Now()) {
		pm.relay.rearm(pm)
		return
	}
	pm.end(errExpired)
	r.recordExpiry(pm.Mapping)
}

// rearm puts a mapping back whose timer was early, as after the system's clock was set back.
func (r *Relay) rearm(pm *portMapping) {
	r.mappings.mu.Lock()
	defer r.mappings.mu.Unlock()
	if !r.mappings.closed && r.mappings.byAddr[pm.Addr()] == nil {
		r.mappings.byAddr[pm.Addr()] = pm
		pm.armTimer()
	}
}

// recordExpiry removes an ended mapping from the store and writes EXPIRED, unless another node has.
func (r *Relay) recordExpiry(m store.Mapping) {
	err := r.store.ExpireMapping(context.Background(), m)
	if errors.Is(err, store.ErrNotFound) {
		return
	}
	if err != nil {
		r.log.Error("removing an expired mapping", "mapping", m.Addr().String(), "error", err)
		return
	}
	r.auditMapping(store.Expired, m, netip.AddrPort{})
}

// reopenMappings opens the stored mappings on their ports, and records those that ended while no relay ran.
func (r *Relay) reopenMappings(ctx context.Context) error {
	ended, err := r.store.Ended(ctx)
	if err != nil {
		return fmt.Errorf("loading the ended mappings: %w", err)
	}
	for _, m := range ended {
		r.recordExpiry(m)
	}
	stored, err := r.store.Mappings(ctx)
	if err != nil {
		return fmt.Errorf("loading the mappings: %w", err)
	}
	for _, m := range stored {
		l, err := r.listenMapping(m.Port)
		if err != nil {
			// The mapping stays stored: the next start tries again, and the others must not suffer.
			r.log.Error("reopening a mapping's port: another program holds it?", "mapping", m.Addr().String(), "error", err)
			continue
		}
		r.mappings.add(r.newPortMapping(m, l))
	}
	return nil
}

// closeMappings ends all mappings on this node, not in the store. Live connections get DrainTimeout.
func (r *Relay) closeMappings() {
	r.mappings.mu.Lock()
	r.mappings.closed = true
	all := r.mappings.byAddr
	r.mappings.byAddr = nil
	r.mappings.mu.Unlock()

	var live sync.WaitGroup
	for _, pm := range all {
		pm.closePort()
		live.Add(1)
		go func() { defer live.Done(); pm.wg.Wait() }() // ends when the mapping's connections have
	}
	wait(&live, r.cfg.DrainTimeout)
	for _, pm := range all {
		pm.end(errShutdown)
	}
	live.Wait()
	r.mappings.timers.Wait()
}
