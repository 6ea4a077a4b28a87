package atline

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"
)

// maxSyncs is how many AT are sent before the modem counts as silent. Each is waited for twice as long as the one before: a slow modem
// owes an answer to every one.
const maxSyncs = 3

// abandon is ESC: it ends a command that waits for text (27.005, 3.5.1), and is nothing to a modem that waits for AT (V.250, 5.2.1). The first
// AT after a command that was given up has it before it.
const abandon = "\x1b"

// syncCommand is AT for a modem in any state. After a call that ended by itself, the modem has read what was on its way as command lines, and
// any of them may have begun with AT and switched the echo on, or results to numbers or off.
const syncCommand = "E0Q0V1"

// resync waits out a command that was given up, and what a modem says to a call's bytes that reached it after the call: syncCommand until a final
// result comes, then silence. The first result may be the old command's, and the answer to ours comes behind it; only when as many came as are owed, or none
// came for a while, nothing is left on the way that could be taken for the next command's reply. The caller has the turn.
func (l *Line) resync(ctx context.Context) error {
	l.mu.Lock()
	dirty := l.dirty
	l.mu.Unlock()
	if !dirty {
		return nil
	}
	l.log.Debug("resynchronising")
	begin := time.Now()
	for i := range maxSyncs {
		answered, err := l.sync(ctx, l.cfg.Sync<<i)
		switch {
		case answered: // by any result: a late one may be an error
			// A modem whose first result took so long may take as long again for what it owes.
			err := l.settle(ctx, l.cfg.Settle+time.Since(begin))
			if err != nil && err == ctx.Err() {
				return fmt.Errorf("%w: %w", ErrLate, err)
			}
			if !errors.Is(err, ErrOnline) {
				return err
			}
			fallthrough
		case errors.Is(err, ErrOnline) && l.dialledByNoise():
			if err := l.leave(ctx); err != nil {
				return err
			}
		case errors.Is(err, io.EOF), errors.Is(err, ErrOnline):
			return err
		case ctx.Err() != nil:
			return ctx.Err()
		}
	}
	return fmt.Errorf("%w: %d times AT after a command that timed out", ErrNoReply, maxSyncs)
}

func (l *Line) sync(ctx context.Context, limit time.Duration) (answered bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	p := newPending(syncCommand, false)
	p.quiet = true
	p, _, err = l.run(ctx, p)
	return p.final != "", err
}

// dialledByNoise tells whether a call is up that nobody asked for.
func (l *Line) dialledByNoise() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.noise && l.online && l.data == nil
}

// leave ends such a call.
func (l *Line) leave(ctx context.Context) error {
	for range maxEscapes {
		switch ended, err := l.escape(ctx); {
		case err != nil:
			return err
		case ended:
			_, _, err := l.run(ctx, newPending("H", false))
			return err
		}
	}
	l.mu.Lock() // it may have ended without a word: the next AT will tell
	l.online = false
	l.mu.Unlock()
	return nil
}

// settle returns when nothing has come for that long. A modem that never stops talking is bounded by the context.
func (l *Line) settle(ctx context.Context, silence time.Duration) error {
	quiet := time.NewTimer(silence)
	defer quiet.Stop()
	for {
		l.mu.Lock()
		clean, online := l.owed == 0 && !l.noise, l.online
		l.mu.Unlock()
		if online {
			return ErrOnline
		}
		if !clean {
			select {
			case <-l.activity:
				quiet.Reset(silence)
				continue
			case <-l.done:
				return io.EOF
			case <-ctx.Done():
				return ctx.Err()
			case <-quiet.C:
			}
		}
		l.mu.Lock()
		l.dirty, l.noise, l.owed, l.late = false, false, 0, nil
		l.mu.Unlock()
		return nil
	}
}
