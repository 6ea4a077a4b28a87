// Package conns is the accept loop that the services share: every accepted connection has a goroutine that Serve waits for,
// so that nothing outlives the context of Serve.
package conns

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"time"
)

// DefaultLimit of open connections per Serve.
const DefaultLimit = 64

// Config of one accept loop.
type Config struct {
	Limit  int          // open connections; more are closed at once. 0: DefaultLimit
	Logger *slog.Logger // nil: silent
}

// acceptPause is what an accept error that may pass (no descriptors left) costs.
const acceptPause = 50 * time.Millisecond

// Serve hands each connection of l to handle on a goroutine of its own. It returns nil when ctx ends, and then has closed l and
// every connection and waited for every handle; an error only when l fails before. handle need not close its connection.
func Serve(ctx context.Context, l net.Listener, cfg Config, handle func(context.Context, net.Conn)) error {
	if cfg.Limit == 0 {
		cfg.Limit = DefaultLimit
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { l.Close() })
	defer stop()
	defer l.Close()

	var open sync.WaitGroup
	defer open.Wait()
	defer cancel() // before the wait: a failed listener ends its connections too
	slots := make(chan struct{}, cfg.Limit)
	for {
		conn, err := l.Accept()
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			if errors.Is(err, net.ErrClosed) {
				return fmt.Errorf("accepting on %v: %w", l.Addr(), err)
			}
			cfg.Logger.Warn("accept failed", "err", err)
			if pause(ctx, acceptPause) != nil {
				return nil
			}
			continue
		}
		select {
		case slots <- struct{}{}:
		default:
			cfg.Logger.Warn("connection refused", "cause", "limit reached", "limit", cfg.Limit, "remote", conn.RemoteAddr())
			conn.Close()
			continue
		}
		open.Go(func() {
			defer func() { <-slots }()
			defer conn.Close()
			stop := context.AfterFunc(ctx, func() { conn.Close() })
			defer stop()
			handle(ctx, conn)
		})
	}
}

func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
