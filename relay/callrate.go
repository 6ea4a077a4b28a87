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

// callRates bounds how often the API is called: by each key or user, and by each address where nobody is known yet, which bounds the guessing
// of secrets too.
type callRates struct {
	known   limiters[string]
	unknown limiters[netip.Addr] // by party
}

func newCallRates(perSecond float64) callRates {
	return callRates{
		known:   limiters[string]{limit: rate.Limit(perSecond), burst: int(5 * perSecond)},
		unknown: limiters[netip.Addr]{limit: rate.Limit(perSecond / 10), burst: int(perSecond)},
	}
}

// check is a 429 when a caller has called too often. Napter's command line waits and tries again then, which is right.
func (cr *callRates) check(c *call, now time.Time) (err error) {
	if c.who.id != "" {
		_, err = cr.known.take(c, c.who.id, now)
	} else {
		_, err = cr.unknown.take(c, party(c.caller.Addr()), now)
	}
	return err
}

// limiters are rate limits of the same size, one for each key.
type limiters[K comparable] struct {
	limit rate.Limit
	burst int

	mu    sync.Mutex
	byKey map[K]*rate.Limiter // guarded by mu
}

// take takes one call off the key's limit, or answers 429 and says in how many seconds there is one again.
func (l *limiters[K]) take(c *call, key K, now time.Time) (*rate.Reservation, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	one := limiter(&l.byKey, key, l.limit, l.burst)
	taken := one.ReserveN(now, 1)
	if taken.OK() && taken.DelayFrom(now) == 0 {
		return taken, nil
	}
	taken.CancelAt(now)
	wait := math.Ceil((1 - one.TokensAt(now)) / float64(l.limit))
	seconds := int(min(max(wait, 1), 3600))
	c.header.Set("Retry-After", strconv.Itoa(seconds))
	return nil, apiErrorf(http.StatusTooManyRequests, codeTooMany, "too many calls: wait %d s", seconds)
}

// rateEntries is how many callers are remembered; then all are forgotten, which gives each a new burst and nothing more.
const rateEntries = 10_000

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
