package relay

import (
	"math"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"minato/relay/store"
)

// limits bounds what one source and one SIM may take of the relay. Each mapping has its own limit besides.
type limits struct {
	perSource, perSIM int        // live connections
	rate              rate.Limit // new connections of a source in a second
	burst             int

	mu      sync.Mutex
	sources map[netip.Addr]int           // guarded by mu: live connections, by party
	sims    map[string]int               // guarded by mu: live connections
	rates   map[netip.Addr]*rate.Limiter // guarded by mu, by party
}

// party is the address by which one that is at the other end is counted. Whoever has one address of IPv6 has the 64 bits of its subnet (RFC 4291
// section 2.5.4), and takes another for each connection if that helps.
func party(a netip.Addr) netip.Addr {
	if !a.Is6() || a.Is4In6() {
		return a.Unmap()
	}
	const subnet = 64
	p, _ := a.WithZone("").Prefix(subnet) // 64 is a length that IPv6 has
	return p.Addr()
}

// take counts a connection in. It is refused with the limit and its end; otherwise give counts it out.
func (l *limits) take(source netip.Addr, sim string, now time.Time) (refused store.Words) {
	l.mu.Lock()
	defer l.mu.Unlock()
	by := party(source)
	if r := limiter(&l.rates, by, l.rate, l.burst); !r.AllowN(now, 1) {
		wait := (1 - r.TokensAt(now)) / float64(l.rate)
		return say(wordLimitRate, source, float64(l.rate), math.Ceil(wait))
	}
	if l.sources[by] >= l.perSource {
		return say(wordLimitSource, l.perSource, source)
	}
	if l.sims[sim] >= l.perSIM {
		return say(wordLimitSIM, l.perSIM, sim)
	}
	if l.sources == nil {
		l.sources, l.sims = make(map[netip.Addr]int), make(map[string]int)
	}
	l.sources[by]++
	l.sims[sim]++
	return store.Words{}
}

// give counts a connection out.
func (l *limits) give(source netip.Addr, sim string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	by := party(source)
	if l.sources[by]--; l.sources[by] <= 0 {
		delete(l.sources, by)
	}
	if l.sims[sim]--; l.sims[sim] <= 0 {
		delete(l.sims, sim)
	}
}
