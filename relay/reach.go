package relay

import (
	"errors"
	"sync"
	"syscall"
)

// unreachedDials in a row make a problem of the closed network: fewer may be a gateway's word about one device.
const unreachedDials = 3

// reach counts the dials in a row that did not get as far as the closed network. What may be the word about one device that a gateway has lost counts once
// for as long as it is about that device.
type reach struct {
	mu    sync.Mutex
	dials int    // guarded by mu
	lost  string // guarded by mu: SIM whose host was unreachable last
}

// note takes in how a dial to a SIM's device ended.
func (r *reach) note(simID string, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case errors.Is(err, ErrDirectory), errors.Is(err, errNoSession), errors.Is(err, ErrUnknownSIM), errors.Is(err, syscall.EMFILE), errors.Is(err, syscall.ENFILE):
		// the network was not tried, or it is the directory that says how it ended
	case err == nil:
		r.dials, r.lost = 0, ""
	case errors.Is(err, errHostUnreachable) && simID == r.lost:
	case causeOfDial(err) == CauseNetworkUnreachable:
		r.dials++
		if errors.Is(err, errHostUnreachable) {
			r.lost = simID
		}
	case causeOfDial(err) != "":
		r.dials, r.lost = 0, ""
	}
}

// unreached is how many dials in a row did not get there.
func (r *reach) unreached() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.dials
}
