package relay

import (
	"math"
	"net/http"
	"net/netip"
	"strconv"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// callRates bounds how often the API is called: by each key, and by each address where there is no key yet, which bounds the guessing
// of secrets too.
type callRates struct {
	perKey, perAddress     rate.Limit
	keyBurst, addressBurst int

	mu      sync.Mutex
	keys    map[string]*rate.Limiter     // guarded by mu
	sources map[netip.Addr]*rate.Limiter // guarded by mu
}

// rateEntries is how many callers are remembered; then all are forgotten, which gives each a new burst and nothing more.
const rateEntries = 10_000

// check is a 429 when a caller has called too often. Napter's command line waits and tries again then, which is right.
func (cr *callRates) check(c *call, now time.Time) error {
	cr.mu.Lock()
	defer cr.mu.Unlock()
	var l *rate.Limiter
	if c.key.ID != "" {
		l = limiter(&cr.keys, c.key.ID, cr.perKey, cr.keyBurst)
	} else {
		l = limiter(&cr.sources, c.caller.Addr(), cr.perAddress, cr.addressBurst)
	}
	if l.AllowN(now, 1) {
		return nil
	}
	wait := math.Ceil((1 - l.TokensAt(now)) / float64(l.Limit()))
	seconds := int(min(max(wait, 1), 3600))
	c.header.Set("Retry-After", strconv.Itoa(seconds))
	return apiErrorf(http.StatusTooManyRequests, codeTooMany, "too many calls: wait %d s", seconds)
}

func limiter[K comparable](m *map[K]*rate.Limiter, key K, limit rate.Limit, burst int) *rate.Limiter {
	if *m == nil || len(*m) >= rateEntries {
		*m = make(map[K]*rate.Limiter)
	}
	l := (*m)[key]
	if l == nil {
		l = rate.NewLimiter(limit, burst)
		(*m)[key] = l
	}
	return l
}
