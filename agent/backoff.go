package agent

import "time"

// backoff computes the pauses between rounds.
type backoff struct {
	cfg  BackoffConfig
	rand func() float64

	failures int  // in a row
	redialed bool // the pause-free redial was used since the last stable link
}

// next tells how long to wait after a round that failed, or whose link, up for up, was lost.
func (b *backoff) next(up time.Duration, hopeless bool) time.Duration {
	if up >= b.cfg.Stable {
		b.failures, b.redialed = 0, false
	}
	if up > 0 && !b.redialed { // most lost links come back at the first dial
		b.redialed = true
		return 0
	}
	d := b.cfg.Min
	for range b.failures {
		if d >= b.cfg.Max/2 {
			d = b.cfg.Max
			break
		}
		d *= 2
	}
	b.failures++
	if hopeless {
		d = b.cfg.Max
	}
	// Half of it is jitter, so that a thousand devices behind one cell do not come back together.
	return d/2 + time.Duration(b.rand()*float64(d/2))
}
