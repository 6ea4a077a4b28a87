package dce

import (
	"context"
	"errors"
	"os"
	"time"
)

// abortGrace is how long after a command line its user's characters are not taken as a wish to abort (V.250 section 5.6.1): the LF
// behind a CR is none.
const abortGrace = 125 * time.Millisecond

// waitAbortable is wait for a command that any character aborts; it is false when one did.
func (x *exchange) waitAbortable(d Fact[time.Duration]) bool {
	whole := x.m.scaled(d.Value)
	if whole <= 0 {
		return true
	}
	x.flush()
	return x.p.listen(x.ctx, whole)
}

// listen reads the line for a time; it is false when a character came that aborts. What comes early is kept.
func (p *port) listen(ctx context.Context, whole time.Duration) bool {
	p.readDeadline(time.Now().Add(whole))
	defer p.readDeadline(time.Time{})
	return p.hear(ctx)
}

// typed listens until stop is called; the channel is closed when a character came that aborts.
func (p *port) typed(ctx context.Context) (aborts <-chan struct{}, stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	came, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		if !p.hear(ctx) {
			close(came)
		}
	}()
	return came, func() {
		cancel()
		p.readDeadline(time.Unix(1, 0))
		<-done
		p.readDeadline(time.Time{})
	}
}

// hear reads the line to its deadline, as listen has it.
func (p *port) hear(ctx context.Context) bool {
	begun := time.Now()
	buf := make([]byte, 256)
	for {
		n, err := p.line.Read(buf)
		switch {
		case n > 0 && time.Since(begun) < abortGrace:
			p.pending = append(p.pending, buf[:n]...)
		case n > 0:
			p.pending = append(p.pending, buf[1:n]...)
			return false
		case errors.Is(err, os.ErrDeadlineExceeded):
			return ctx.Err() == nil
		case err != nil:
			p.lineErr = err // the next read's to tell
			return false
		}
	}
}
