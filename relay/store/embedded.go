package store

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

// startTimeout bounds the wait for the server; a start takes some 10 ms, recovery of a large log longer.
const startTimeout = time.Minute

// embedded is the NATS server in this process. It listens nowhere and has its folder for itself.
type embedded struct {
	*server.Server
	lock *os.File
}

func startEmbedded(ctx context.Context, cfg Config) (*embedded, error) {
	if err := os.MkdirAll(cfg.Dir, 0o700); err != nil {
		return nil, err
	}
	lock, err := lockFile(filepath.Join(cfg.Dir, "lock"))
	if err != nil {
		return nil, fmt.Errorf("folder %q is in use by another process: %w", cfg.Dir, err)
	}
	srv, err := server.NewServer(&server.Options{
		ServerName:             "minato-relay-" + cfg.Node,
		DontListen:             true,
		NoSigs:                 true,
		JetStream:              true,
		DisableJetStreamBanner: true,
		StoreDir:               cfg.Dir,
		// Every write is synced before it is acknowledged, except in the stream that opts out (see openAudit): that one is synced every SyncInterval.
		SyncAlways:   true,
		SyncInterval: time.Second,
	})
	if err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	e := &embedded{Server: srv, lock: lock}
	srv.SetLoggerV2(natsLogger{cfg.Logger.With("part", "nats")}, false, false, false)
	srv.Start()
	for deadline := time.Now().Add(startTimeout); !srv.ReadyForConnections(100 * time.Millisecond); {
		if err := ctx.Err(); err != nil {
			e.stop()
			return nil, err
		}
		if time.Now().After(deadline) || !srv.Running() {
			e.stop()
			return nil, errors.New("the embedded NATS server did not start; its log says why")
		}
	}
	return e, nil
}

// stop ends the server and its goroutines, then lets the folder go.
func (e *embedded) stop() {
	e.Shutdown()
	e.WaitForShutdown()
	e.lock.Close()
}
