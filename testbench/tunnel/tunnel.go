package tunnel

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"time"

	"minato/relay/splice"
)

// Tunnel is one running service. Make it with New and call Run once.
type Tunnel struct {
	cfg   Config
	tls   *tls.Config
	log   *slog.Logger
	ready chan struct{}
	conns sync.WaitGroup // one for each goroutine of serve

	mu   sync.Mutex
	addr net.Addr // guarded by mu
}

// New checks the configuration and loads the authorities; it opens no port.
func New(cfg Config) (*Tunnel, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	conf, err := cfg.tlsConfig()
	if err != nil {
		return nil, err
	}
	return &Tunnel{cfg: cfg, tls: conf, log: cfg.Logger.With("service", cfg.Name), ready: make(chan struct{})}, nil
}

// Ready is closed once the port is open.
func (t *Tunnel) Ready() <-chan struct{} { return t.ready }

// Name is the service's.
func (t *Tunnel) Name() string { return t.cfg.Name }

// Addr is where clients connect, known after Ready; nil before.
func (t *Tunnel) Addr() net.Addr {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.addr
}

// Run listens and serves until ctx ends, then closes every connection and returns nil.
func (t *Tunnel) Run(ctx context.Context) error {
	l, err := t.cfg.Listen("tcp", t.cfg.Accept)
	if err != nil {
		return explainListen(err, t.cfg.Accept)
	}
	t.mu.Lock()
	t.addr = l.Addr()
	t.mu.Unlock()
	if t.cfg.Verify == VerifyNone {
		t.log.Warn("the server's certificate is not checked: anyone on the way can read and change what passes")
	}
	t.log.Info("tunnel is open", "accept", l.Addr().String(), "connect", t.cfg.Connect)
	close(t.ready)

	ctx, cancel := context.WithCancel(ctx)
	stop := context.AfterFunc(ctx, func() { l.Close() })
	err = t.accept(ctx, l)
	stop()
	l.Close()
	cancel()
	t.conns.Wait()
	return err
}

// accept ends with ctx, which closes l, or with the listener.
func (t *Tunnel) accept(ctx context.Context, l net.Listener) error {
	pause := 5 * time.Millisecond
	for {
		client, err := l.Accept()
		switch {
		case ctx.Err() != nil:
			if client != nil {
				client.Close()
			}
			return nil
		case err == nil:
			pause = 5 * time.Millisecond
			t.conns.Go(func() { t.serve(ctx, client) })
		case errors.Is(err, net.ErrClosed):
			return fmt.Errorf("accepting on %s: %w", t.cfg.Accept, err)
		default:
			// Out of descriptors, or a client that was gone before it was accepted: both pass.
			t.log.Warn("accepting failed, trying again", "error", err, "pause", pause)
			select {
			case <-ctx.Done():
			case <-time.After(pause):
			}
			pause = min(2*pause, time.Second)
		}
	}
}

// serve carries one client; it owns both connections and ends with either of them or with ctx.
func (t *Tunnel) serve(ctx context.Context, client net.Conn) {
	defer client.Close()
	log := t.log.With("client", client.RemoteAddr().String())
	server, err := t.Dial(ctx)
	if err != nil {
		if ctx.Err() == nil {
			log.Error("connecting failed", "error", err, "hint", Hint(err))
		}
		return
	}
	defer server.Close()
	state := server.ConnectionState()
	log.Info("connected", "server", server.RemoteAddr().String(), "tls", tls.VersionName(state.Version))
	res := splice.New(client, server, t.cfg.spliceConfig()).Run(ctx)
	log.Info("connection ended", "bytes_up", res.Up, "bytes_down", res.Down, "end", res.End.String(), "error", res.Err)
}

// Dial opens one TLS connection to the server without the local port. Its error is an *Error.
func (t *Tunnel) Dial(ctx context.Context) (*tls.Conn, error) {
	if t.cfg.ConnectTimeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, t.cfg.ConnectTimeout)
		defer cancel()
	}
	raw, err := t.cfg.Dial(ctx, "tcp", t.cfg.Connect)
	if err != nil {
		return nil, t.cfg.explainDial(err)
	}
	conn := tls.Client(raw, t.tls)
	if err := conn.HandshakeContext(ctx); err != nil {
		raw.Close()
		return nil, t.cfg.explainHandshake(err)
	}
	return conn, nil
}
