package relay

import (
	"errors"
	"slices"
	"sync"
	"syscall"
	"time"
)

// unreachedDials in a row make a problem of the closed network: fewer may be a gateway's word about one device.
const unreachedDials = 3

// unreachedAge is how long it is one: without clients nobody finds out that it is over.
const unreachedAge = 10 * time.Minute

// ownWant are errors of a relay that has too much to do: they say nothing of the network, which was not tried.
var ownWant = []error{syscall.EMFILE, syscall.ENFILE, syscall.EADDRNOTAVAIL, syscall.ENOBUFS, syscall.ENOMEM}

// reach counts the dials in a row that did not get as far as the closed network. What may be the word about one device that a gateway has lost counts once
// for as long as it is about that device.
type reach struct {
	mu    sync.Mutex
	dials int       // guarded by mu
	last  time.Time // guarded by mu: when the last of them ended
	lost  string    // guarded by mu: SIM whose host was unreachable last
}

// note takes in how a dial to a SIM's device ended just now.
func (r *reach) note(now time.Time, simID string, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if now.Sub(r.last) >= unreachedAge {
		r.dials, r.lost = 0, ""
	}
	switch {
	case errors.Is(err, ErrDirectory), errors.Is(err, errNoSession), errors.Is(err, ErrUnknownSIM): // it is the directory that says how it ended
	case slices.ContainsFunc(ownWant, func(want error) bool { return errors.Is(err, want) }):
	case err == nil:
		r.dials, r.lost = 0, ""
	case errors.Is(err, errHostUnreachable) && simID == r.lost:
		r.last = now
	case causeOfDial(err) == CauseNetworkUnreachable:
		r.dials++
		r.last = now
		if errors.Is(err, errHostUnreachable) {
			r.lost = simID
		}
	case causeOfDial(err) != "":
		r.dials, r.lost = 0, ""
	}
}

// unreached is how many dials in a row did not get there; 0 where the last of them is unreachedAge ago.
func (r *reach) unreached(now time.Time) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	if now.Sub(r.last) >= unreachedAge {
		return 0
	}
	return r.dials
}
