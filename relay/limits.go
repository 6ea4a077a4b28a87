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
	sources map[netip.Addr]int           // guarded by mu: live connections
	sims    map[string]int               // guarded by mu: live connections
	rates   map[netip.Addr]*rate.Limiter // guarded by mu
}

// take counts a connection in. It is refused with the limit and its end; otherwise give counts it out.
func (l *limits) take(source netip.Addr, sim string, now time.Time) (refused store.Words) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if r := limiter(&l.rates, source, l.rate, l.burst); !r.AllowN(now, 1) {
		wait := (1 - r.TokensAt(now)) / float64(l.rate)
		return say(wordLimitRate, source, float64(l.rate), math.Ceil(wait))
	}
	if l.sources[source] >= l.perSource {
		return say(wordLimitSource, l.perSource, source)
	}
	if l.sims[sim] >= l.perSIM {
		return say(wordLimitSIM, l.perSIM, sim)
	}
	if l.sources == nil {
		l.sources, l.sims = make(map[netip.Addr]int), make(map[string]int)
	}
	l.sources[source]++
	l.sims[sim]++
	return store.Words{}
}

// give counts a connection out.
func (l *limits) give(source netip.Addr, sim string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.sources[source]--; l.sources[source] <= 0 {
		delete(l.sources, source)
	}
	if l.sims[sim]--; l.sims[sim] <= 0 {
		delete(l.sims, sim)
	}
}
