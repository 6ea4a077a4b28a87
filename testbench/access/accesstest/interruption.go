// Package accesstest interrupts what works with a relay, at each of the calls that it makes.
package accesstest

import (
	"context"
	"net/http"
	"sync/atomic"

	"minato/testbench/access"
)

// Interruption cancels a context at one of many calls.
type Interruption struct {
	next   http.RoundTripper
	after  bool
	cancel context.CancelFunc
	left   atomic.Int64
}

// At makes cancel be called at the n-th call over r, from 1: before it is sent, or after its answer has come.
func At(r *access.Relay, n int, after bool, cancel context.CancelFunc) *Interruption {
	i := &Interruption{next: r.API.HTTPClient.Transport, after: after, cancel: cancel}
	i.left.Store(int64(n))
	r.API.HTTPClient.Transport = i
	return i
}

// Reached tells whether that many calls were made.
func (i *Interruption) Reached() bool { return i.left.Load() <= 0 }

// RoundTrip implements http.RoundTripper.
func (i *Interruption) RoundTrip(req *http.Request) (*http.Response, error) {
	here := i.left.Add(-1) == 0
	if here && !i.after {
		i.cancel()
	}
	resp, err := i.next.RoundTrip(req)
	if here && i.after {
		i.cancel()
	}
	return resp, err
}
