package access

import (
	"context"
	"crypto/tls"
	"net/http"
	"sync"
	"time"
)

// date keeps how far this computer's clock is from the relay's, by the last answer's Date header (RFC 9110 section 6.6.1), which has whole seconds.
type date struct {
	mu    sync.Mutex
	known bool          // guarded by mu
	ahead time.Duration // guarded by mu: positive when this computer's clock is ahead
}

func (d *date) note(h http.Header, sent, received time.Time) {
	at, err := http.ParseTime(h.Get("Date"))
	if err != nil {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	// The relay wrote its time somewhere between; it has cut off half a second on average.
	d.known, d.ahead = true, sent.Add(received.Sub(sent)/2).Sub(at.Add(500*time.Millisecond))
}

func (d *date) get() (ahead time.Duration, known bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.ahead, d.known
}

// dating notes the time of every answer.
type dating struct {
	next http.RoundTripper
	date *date
	now  func() time.Time
}

func (d *dating) RoundTrip(req *http.Request) (*http.Response, error) {
	sent := d.now()
	resp, err := d.next.RoundTrip(req)
	if err == nil {
		d.date.note(resp.Header, sent, d.now())
	}
	return resp, err
}

// Ahead is how far this computer's clock was ahead of the relay's at the last answer.
func (r *Relay) Ahead() (ahead time.Duration, known bool) { return r.lastDate.get() }

// AskDate asks for the relay's time without trusting its certificate: where a certificate is not valid yet or any more, it may be this computer's
// clock that is wrong. No key is sent.
func (r *Relay) AskDate(ctx context.Context) (ahead time.Duration, known bool) {
	transport := r.transport.Clone()
	transport.TLSClientConfig = &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS12}
	defer transport.CloseIdleConnections()
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, r.URL+"/v1/health", nil)
	if err != nil {
		return 0, false
	}
	var d date
	resp, err := (&dating{transport, &d, r.Now}).RoundTrip(req)
	if err != nil {
		return 0, false
	}
	resp.Body.Close()
	return d.get()
}
