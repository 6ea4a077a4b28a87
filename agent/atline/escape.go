package atline

import (
	"context"
	"fmt"
	"io"
	"time"
)

// maxEscapes is how often +++ is tried.
const maxEscapes = 2

// Escape takes a port that carries a call back to command mode: silence, +++, silence. The call is suspended; ATH ends it, and
// Resume goes on with it. Its Data has ended. It returns at once when no call is up, or as soon as the modem says NO CARRIER.
func (l *Line) Escape(ctx context.Context) error {
	release, err := l.acquire(ctx)
	if err != nil {
		return fmt.Errorf("escaping from data mode: %w", err)
	}
	defer release()
	l.mu.Lock()
	d := l.data
	l.mu.Unlock()
	if d != nil {
		d.Close()
	}
	for range maxEscapes {
		switch ended, err := l.escape(ctx); {
		case err != nil:
			return fmt.Errorf("escaping from data mode: %w", err)
		case ended:
			return nil
		}
	}
	// No answer twice: the call may have ended without a word. AT will tell.
	l.mu.Lock()
	l.online, l.dirty = false, true
	l.mu.Unlock()
	if err := l.resync(ctx); err != nil {
		return fmt.Errorf("escaping from data mode: %w", err)
	}
	return nil
}

// Recover is Escape for a modem that may carry a call which this process did not begin: one that was killed left it so, on a port
// without DTR.
func (l *Line) Recover(ctx context.Context) error {
	l.mu.Lock()
	l.online = l.lost == nil
	l.mu.Unlock()
	err := l.Escape(ctx)
	if err != nil { // also where ctx ended first: there may have been no call at all
		l.mu.Lock()
		l.online, l.dirty = false, true
		l.mu.Unlock()
	}
	return err
}

// Resume goes back to the call that Escape suspended (V.250, 6.3.7).
func (l *Line) Resume(ctx context.Context) (*Data, error) {
	d, _, err := l.Connect(ctx, "O")
	return d, err
}

// escape tries +++ once, and tells whether the modem left data mode.
func (l *Line) escape(ctx context.Context) (bool, error) {
	p := &pending{cmd: "", quiet: true, result: make(chan struct{})}
	l.mu.Lock()
	switch {
	case l.lost != nil:
		l.mu.Unlock()
		return false, io.EOF
	case !l.online:
		l.mu.Unlock()
		return true, nil
	}
	l.pending = p
	l.mu.Unlock()
	defer func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		if l.pending == p {
			l.pending = nil
		}
		if p.ended {
			l.online = false
		}
	}()

	silent := l.cfg.Guard - (time.Since(l.start) - time.Duration(l.lastWrite.Load()))
	if ended, err := l.await(ctx, p, silent); ended || err != nil {
		return ended, err
	}
	l.log.Debug("at", "sent", "+++")
	if err := l.write(ctx, []byte("+++")); err != nil {
		return false, err
	}
	return l.await(ctx, p, 2*l.cfg.Guard+l.cfg.Sync)
}

// await waits for the end of p, at most d.
func (l *Line) await(ctx context.Context, p *pending, d time.Duration) (bool, error) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-p.result:
		return p.err == nil, p.err
	case <-ctx.Done():
		return false, ctx.Err()
	case <-t.C:
		return false, nil
	}
}
