package relay

import (
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
// Each is carried to its end when its caller has left, and where the store does not answer it is asked until it is known what is stored. An extension
// and a delete wait for one another; an expiry waits for both, which were asked for before the end.
//
// A crash between two of them leaves a mapping that was never answered, which lives until its end like any other; or one that is gone and
// whose DELETED is missing, though its DELETE was never answered; or an entry past its end, which the next start removes with EXPIRED.

// createMapping opens a free port, stores the mapping and serves it. m has everything but its port.
func (r *Relay) createMapping(m store.Mapping, caller netip.AddrPort) (store.Mapping, error) {
	return r.carry(func() (store.Mapping, error) {
		stored, err := r.createOnFreePort(m, caller, false)
		if errors.Is(err, errNoPort) {
			stored, err = r.createOnFreePort(m, caller, true)
		}
		return stored, err
	})
}

// createOnFreePort tries the ports from a random one on. The ports of ended mappings are left to refuse their clients, as long as others are free.
func (r *Relay) createOnFreePort(m store.Mapping, caller netip.AddrPort, release bool) (store.Mapping, error) {
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
		stored, err := r.storeNew(m)
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
func (r *Relay) deleteMapping(m store.Mapping, caller netip.AddrPort) error {
	_, err := r.carry(func() (store.Mapping, error) {
		pm, err := r.unstoreServed(m.Addr())
		if err != nil {
			return m, err
		}
		if pm != nil {
			pm.end(errDeleted)
			r.remember(pm, rememberFor)
		}
		r.auditMapping(store.Deleted, m, caller)
		return m, nil
	})
	return err
}

// unstoreServed removes a mapping from the store, then from what is served here; nil if it was not.
func (r *Relay) unstoreServed(addr netip.AddrPort) (*portMapping, error) {
	if pm := r.mappings.get(addr); pm != nil {
		pm.changing.Lock()
		defer pm.changing.Unlock()
	}
	if err := r.unstore(addr); err != nil {
		return nil, err
	}
	return r.mappings.take(addr), nil
}

// extendMapping gives a mapping another end. Its connections go on.
func (r *Relay) extendMapping(m store.Mapping, end time.Time, caller netip.AddrPort) (store.Mapping, error) {
	return r.carry(func() (store.Mapping, error) {
		pm := r.mappings.get(m.Addr())
		if pm == nil {
			return m, store.ErrNotFound // it is ending
		}
		pm.changing.Lock()
		defer pm.changing.Unlock()
		if r.mappings.get(m.Addr()) != pm {
			return m, store.ErrNotFound
		}
		extended, err := r.storeEnd(m, end)
		if err != nil {
			return m, err
		}
		r.auditMapping(store.Extended, extended, caller)
		r.mappings.rearm(pm, extended)
		return extended, nil
	})
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
