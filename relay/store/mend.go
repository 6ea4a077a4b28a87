package store

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
)

// A stream of the server in this process that could not write to the disk once, as when that was full, takes nothing more, and does not answer: the
// server gives it up until its JetStream starts again. So it is started again as soon as the disk takes writes. What it had acknowledged before is
// on the disk, but for the last second's entries about connections.

// probeSize is how much a disk must take before it is trusted again.
const probeSize = 1 << 20

// mender does that, one at a time.
type mender struct {
	mu     sync.Mutex
	broken bool // guarded by mu: it was said
}

// mend looks whether the server has given up a stream, after a write that failed, and starts JetStream again if so and if that can help. It returns
// whether all is well.
func (s *Store) mend() bool {
	if s.server == nil {
		return true
	}
	s.mender.mu.Lock()
	defer s.mender.mu.Unlock()
	health := s.server.Healthz(nil)
	if health.Status == "ok" {
		return true
	}
	if !s.mender.broken {
		s.mender.broken = true
		s.log.Error("the store cannot write to its disk, and takes nothing until it can: make room in the state folder's file system, and the relay goes on by itself",
			"folder", s.cfg.Dir, "error", health.Error)
	}
	if err := probe(s.cfg.Dir); err != nil {
		return false // said above
	}
	if err := s.server.restartJetStream(s.cfg.Dir); err != nil {
		s.log.Error("opening the store again after its disk could not be written: restart the relay", "error", err)
		return false
	}
	s.js.CleanupPublisher() // what the streams before did not answer is not answered now
	s.mender.broken = false
	s.log.Info("the store's disk takes writes again")
	return true
}

// well tells that the server has given up no stream.
func (e *embedded) well() bool { return e.Healthz(nil).Status == "ok" }

// mendAfter is mend where a write was not answered.
func (s *Store) mendAfter(err error) {
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, nats.ErrTimeout) {
		s.mend()
	}
}

// restartJetStream opens all streams anew. The server and its connections stay.
func (e *embedded) restartJetStream(dir string) error {
	if err := e.ShutdownJetStream(); err != nil {
		return err
	}
	return e.EnableJetStream(&server.JetStreamConfig{StoreDir: dir})
}

// probe finds out whether the disk takes writes.
func probe(dir string) (err error) {
	f, err := os.Create(filepath.Join(dir, "probe"))
	if err != nil {
		return err
	}
	_, err = f.Write(make([]byte, probeSize))
	return errors.Join(err, f.Sync(), f.Close(), os.Remove(f.Name()))
}

// AuditLag is how long the oldest entry waits that could not be stored; 0: entries are stored as they come.
func (s *Store) AuditLag() time.Duration {
	since := s.audit.waiting.Load()
	if since == 0 {
		return 0
	}
	return max(s.cfg.Now().Sub(time.Unix(0, since)), 1)
}

// Check tells whether the store can be read and written: nil, or what is wrong.
func (s *Store) Check(ctx context.Context) error {
	if s.server != nil {
		if health := s.server.Healthz(nil); health.Status != "ok" {
			return errors.New(health.Error)
		}
	}
	if _, err := s.Counter(ctx, "none"); err != nil {
		return fmt.Errorf("reading the store: %w", err)
	}
	return nil
}
