package relay

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"minato/relay/store"
)

// mappingSet holds the mappings whose ports are open here. The store decides what exists; this is what follows from it.
type mappingSet struct {
	mu     sync.Mutex
	byAddr map[netip.AddrPort]*portMapping // guarded by mu; nil before the first
	ended  []*remembered                   // guarded by mu: ports that refuse with R13, the oldest first
	closed bool                            // guarded by mu: the relay is ending, none may be added

	stopWatch func() // guarded by mu; of the look at the clock that comes next; nil before the first

	timers sync.WaitGroup  // armed timers, and goroutines that change what exists
	ending <-chan struct{} // closed: the relay is ending
}

// remembered is an ended mapping whose port still tells clients apart from those of a port that never was.
type remembered struct {
	*portMapping
	stop func() // of the timer that forgets it
}

// rememberFor is how long the port of an ended mapping is kept to refuse with R13.
const rememberFor = time.Hour

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

// takeEnded removes a remembered mapping; nil if there is none on that address.
func (s *mappingSet) takeEnded(addr netip.AddrPort) *remembered {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.IndexFunc(s.ended, func(e *remembered) bool { return e.Addr() == addr })
	if i < 0 {
		return nil
	}
	e := s.ended[i]
	s.ended = slices.Delete(s.ended, i, i+1)
	return e
}

func (s *mappingSet) holds(addr netip.AddrPort) bool { return s.get(addr) != nil }

func (s *mappingSet) get(addr netip.AddrPort) *portMapping {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.byAddr[addr]
}

func (s *mappingSet) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.byAddr)
}

// unbound counts the mappings whose ports are not open.
func (s *mappingSet) unbound() (n int) {
	s.mu.Lock()
	all := slices.Collect(maps.Values(s.byAddr))
	s.mu.Unlock()
	for _, pm := range all {
		if !pm.bound() {
			n++
		}
	}
	return n
}

func (r *Relay) listenMapping(port uint16) (net.Listener, error) {
	return r.cfg.Listen("tcp", netip.AddrPortFrom(r.cfg.MappingIP, port).String())
}

// remember keeps the port of an ended mapping to refuse with R13 for what is left of its hour, or closes it where none is to be kept. The oldest makes
// room for the newest.
func (r *Relay) remember(pm *portMapping, left time.Duration) {
	s := &r.mappings
	var oldest *remembered
	s.mu.Lock()
	keep := r.cfg.RememberEnded > 0 && !s.closed && pm.bound()
	if keep {
		if len(s.ended) >= r.cfg.RememberEnded {
			oldest = s.ended[0] // on a line of its own: Delete clears what it takes out, and the order within one statement is not said
			s.ended = slices.Delete(s.ended, 0, 1)
		}
		stop := s.after(r.cfg.Clock, left, func() {
			if e := s.takeEnded(pm.Addr()); e != nil {
				e.forget()
			}
		})
		s.ended = append(s.ended, &remembered{pm, stop})
	}
	s.mu.Unlock()
	if !keep {
		pm.forget()
	}
	if oldest != nil {
		oldest.stop()
		oldest.forget()
	}
}

// release closes the port of a remembered mapping, because a new one needs it.
func (r *Relay) release(addr netip.AddrPort) {
	if e := r.mappings.takeEnded(addr); e != nil {
		e.stop()
		e.forget()
	}
}

// reopenMappings opens the stored mappings on their ports, and gives those that ended while no relay ran.
func (r *Relay) reopenMappings(ctx context.Context) (ended []store.Mapping, err error) {
	stored, err := r.store.Mappings(ctx)
	if err != nil {
		return nil, fmt.Errorf("loading the mappings: %w", err)
	}
	for _, m := range stored {
		if m.SpentBy != "" { // its one connection ended with the process that carried it
			ended = append(ended, m)
			continue
		}
		l, err := r.listenMapping(m.Port)
		if err != nil {
			r.log.Error("reopening a mapping's port: another program holds it? It is tried again until the mapping ends", "mapping", m.Addr().String(), "error", err)
		}
		r.mappings.add(r.newPortMapping(m, l))
	}
	past, err := r.store.Ended(ctx)
	if err != nil {
		return nil, fmt.Errorf("loading the ended mappings: %w", err)
	}
	return append(ended, past...), nil
}

// rememberEnded opens the ports of mappings that ended before this start: of those that the audit log knows, then of those that ended while no relay ran,
// which it records.
func (r *Relay) rememberEnded(ctx context.Context, whileAway []store.Mapping) {
	if err := r.reopenLogged(ctx); err != nil {
		r.log.Warn("the ports of mappings that ended before this start stay closed", "error", err)
	}
	for _, m := range whileAway {
		r.recordExpiry(m)
		r.reopenEnded(m)
	}
}

// reopenEnded opens the port of a mapping that ended before this start, to refuse with R13. A live mapping keeps its port, which it may not have been
// able to open yet, and of those that have ended the last one has it. What the configuration has taken from the mappings since is somebody else's.
func (r *Relay) reopenEnded(m store.Mapping) {
	left := min(rememberFor-r.cfg.Clock.Now().Sub(m.ExpiresAt), rememberFor)
	ours := m.IP == r.cfg.Advertise && r.cfg.Ports[0] <= m.Port && m.Port <= r.cfg.Ports[1]
	if r.cfg.RememberEnded == 0 || left <= 0 || !ours || r.mappings.holds(m.Addr()) {
		return
	}
	r.release(m.Addr())
	l, err := r.listenMapping(m.Port)
	if err != nil {
		return
	}
	pm := r.newPortMapping(m, l)
	pm.ended = true
	pm.loop.Add(1)
	go pm.acceptLoop(l)
	r.remember(pm, left)
}

// reopenLogged does it for the mappings that another run of the relay ended, of which the audit log knows all that a refusal tells.
func (r *Relay) reopenLogged(ctx context.Context) error {
	var logged []store.Entry
	for _, t := range []store.EntryType{store.Expired, store.Deleted} {
		q := store.Query{Type: t, From: r.cfg.Clock.Now().Add(-rememberFor), Limit: r.cfg.RememberEnded}
		for of := 0; of < r.cfg.RememberEnded; {
			page, next, err := r.store.Audit(ctx, q)
			if err != nil {
				return err
			}
			logged, of = append(logged, page...), of+len(page)
			if q.Before = next; next == "" {
				break
			}
		}
	}
	slices.SortStableFunc(logged, func(a, b store.Entry) int { return a.Time.Compare(b.Time) })
	for _, e := range logged {
		r.reopenEnded(store.Mapping{
			IP: e.Destination.Addr(), Port: e.Destination.Port(), SIMID: e.SIMID, IMSI: e.IMSI, DevicePort: e.DevicePort, TLS: e.TLS,
			OperatorID: e.OperatorID, ExpiresAt: endOf(e),
		})
	}
	return nil
}

// endOf is when a mapping ended of which the audit log has EXPIRED or DELETED: what no relay saw ended before it was written down.
func endOf(e store.Entry) time.Time {
	if e.End.Code == string(wordEndedAt) && len(e.End.Args) > 0 {
		if at, err := time.Parse(time.RFC3339, e.End.Args[0]); err == nil {
			return at
		}
	}
	return e.Time
}

// closeMappings ends all mappings on this node, not in the store. Live connections get DrainTimeout.
func (r *Relay) closeMappings() {
	s := &r.mappings
	s.mu.Lock()
	s.closed = true
	all, ended := s.byAddr, s.ended
	s.byAddr, s.ended = nil, nil
	if s.stopWatch != nil {
		s.stopWatch()
	}
	s.mu.Unlock()

	for _, e := range ended {
		e.stop()
		e.forget()
	}
	var live sync.WaitGroup
	for _, pm := range all {
		pm.closePort()
		live.Add(1)
		go func() { defer live.Done(); pm.drained() }() // ends when the mapping's connections have
	}
	wait(&live, r.cfg.DrainTimeout)
	for _, pm := range all {
		pm.end(errShutdown)
		pm.forget()
	}
	live.Wait()
	s.timers.Wait()
	r.floods.close()
}

// errNoPort is answered when every port of the range is taken.
var errNoPort = errors.New("no public port is free")
