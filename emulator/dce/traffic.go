package dce

import (
	"sync"
	"sync/atomic"

	"minato/agent/ppp"
)

// Traffic is what a modem's calls have carried since New.
type Traffic struct {
	PPP      ppp.Stats // of all calls, those under way included
	Calls    uint64
	Sessions uint64
	Dropped  uint64 // bytes for users who did not read
}

// traffic keeps the account of the calls that are over.
type traffic struct {
	sessions atomic.Uint64

	mu    sync.Mutex
	over  ppp.Stats // guarded by mu: of the calls that have ended
	calls uint64    // guarded by mu
	live  map[*call]struct{}

	dropped uint64 // guarded by mu: by ports that are gone
}

func (t *traffic) began(c *call) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.live == nil {
		t.live = map[*call]struct{}{}
	}
	t.live[c] = struct{}{}
	t.calls++
}

func (t *traffic) ended(c *call) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.live, c)
	t.over = sum(t.over, c.conn.Stats())
}

func (t *traffic) left(p *port) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.dropped += p.out.dropped.Load()
}

// Traffic may be called at any time.
func (m *Modem) Traffic() Traffic {
	t := &m.traffic
	t.mu.Lock()
	all := Traffic{PPP: t.over, Calls: t.calls, Sessions: t.sessions.Load(), Dropped: t.dropped}
	for c := range t.live {
		all.PPP = sum(all.PPP, c.conn.Stats())
	}
	t.mu.Unlock()
	m.mu.Lock()
	ports := m.portsLocked()
	m.mu.Unlock()
	for _, p := range ports {
		all.Dropped += p.out.dropped.Load()
	}
	return all
}

func sum(a, b ppp.Stats) ppp.Stats {
	return ppp.Stats{
		FramesIn: a.FramesIn + b.FramesIn, FramesOut: a.FramesOut + b.FramesOut,
		BytesIn: a.BytesIn + b.BytesIn, BytesOut: a.BytesOut + b.BytesOut,
		PacketsIn: a.PacketsIn + b.PacketsIn, PacketsOut: a.PacketsOut + b.PacketsOut,
		Dropped: a.Dropped + b.Dropped,
		BadFCS:  a.BadFCS + b.BadFCS, Malformed: a.Malformed + b.Malformed,
		Rejected: a.Rejected + b.Rejected,
	}
}
