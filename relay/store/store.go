// Package store keeps what a relay must not lose: port mappings, the audit log, API keys, users and secrets, on NATS
// JetStream. The server runs in this process and listens nowhere, unless Config.URL names a cluster; the code is the same.
//
// Mappings are a key-value bucket: created by compare-and-set and synced to the disk before CreateMapping returns, so
// that an acknowledged one survives kill -9 and a power cut. The audit log is two streams: entries about mappings are
// synced one by one. Entries about connections, and the log of API calls, are committed in groups within 50 ms and written
// and synced by the server in the background: a kill -9 or a power cut may cost those of the last second.
package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Config of a store.
type Config struct {
	Dir    string       // folder of the embedded server, made with mode 0700; required unless URL is set. One process at a time.
	Logger *slog.Logger // nil: discard

	URL      string // external NATS cluster; "": a server in this process
	Node     string // this node's name among those that share a cluster, at most 64 letters, digits and -; "": "0"
	Replicas int    // copies of each stream in a cluster; 0: 1

	AuditAge time.Duration // audit entries older than this are dropped; 0: 366 days
	CallAge  time.Duration // and entries of the API's own log; 0: 90 days

	// ExpiryGrace is how long the entry of an ended mapping stays, unseen by Mapping and Mappings, so that a node that
	// was down at its end can still write EXPIRED (see Ended). Then the bucket's own TTL removes it. 0: an hour.
	ExpiryGrace time.Duration

	Now func() time.Time // nil: time.Now
}

// Names in the cluster, which may serve others too.
const (
	mappingsBucket = "minato_mappings"
	keysBucket     = "minato_keys"
	usersBucket    = "minato_users"
	secretsBucket  = "minato_secrets"
	tokensBucket   = "minato_ended_tokens"
	countersBucket = "minato_counters"
	hostKeysBucket = "minato_host_keys"
	filesBucket    = "minato_files"
	locksBucket    = "minato_locks"
)

// Store is an open store. Its methods may be called by several goroutines.
type Store struct {
	cfg Config
	log *slog.Logger

	server *embedded // nil with an external cluster
	mender mender
	conn   *nats.Conn
	lost   chan struct{} // closed with conn
	js     jetstream.JetStream

	mappings, keys, users, secrets bucket
	tokens, counters, hostKeys     bucket
	files, locks                   bucket
	audit                          *auditLog
	calls                          jetstream.Stream // the API's own log
	callsStuck                     atomic.Bool      // its last entry was not answered
}

// Open starts the embedded server (or connects to Config.URL) and makes what is missing.
func Open(ctx context.Context, cfg Config) (*Store, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, fmt.Errorf("opening store: %w", err)
	}
	s := &Store{cfg: cfg, log: cfg.Logger, lost: make(chan struct{})}
	if err := s.open(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("opening store: %w", err), s.Close())
	}
	return s, nil
}

func (cfg Config) withDefaults() (Config, error) {
	if cfg.Dir == "" && cfg.URL == "" {
		return cfg, errors.New("neither Dir nor URL is set")
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.Node == "" {
		cfg.Node = "0"
	}
	if !plainToken(cfg.Node) || len(cfg.Node) > maxNode {
		return cfg, fmt.Errorf("node %q: letters, digits and - are allowed, %d at most", short(cfg.Node), maxNode)
	}
	cfg.Replicas = max(cfg.Replicas, 1)
	if cfg.AuditAge == 0 {
		cfg.AuditAge = 366 * 24 * time.Hour
	}
	if cfg.CallAge == 0 {
		cfg.CallAge = 90 * 24 * time.Hour
	}
	if cfg.ExpiryGrace == 0 {
		cfg.ExpiryGrace = time.Hour
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	return cfg, nil
}

func (s *Store) open(ctx context.Context) (err error) {
	options := []nats.Option{
		nats.Name("minato-relay " + s.cfg.Node), nats.MaxReconnects(-1),
		nats.ClosedHandler(func(*nats.Conn) { close(s.lost) }),
	}
	if s.cfg.URL == "" {
		if s.server, err = startEmbedded(ctx, s.cfg); err != nil {
			return err
		}
		options = append(options, nats.InProcessServer(s.server))
	}
	if s.conn, err = nats.Connect(s.cfg.URL, options...); err != nil {
		return fmt.Errorf("connecting to NATS: %w", err)
	}
	if s.js, err = jetstream.New(s.conn); err != nil {
		return err
	}
	for _, b := range []struct {
		to  *bucket
		cfg jetstream.KeyValueConfig
	}{
		// Per-key TTL needs LimitMarkerTTL: the markers tell watchers of what went, and go themselves after that time.
		{&s.mappings, jetstream.KeyValueConfig{Bucket: mappingsBucket, LimitMarkerTTL: markerTTL}},
		{&s.keys, jetstream.KeyValueConfig{Bucket: keysBucket}},
		{&s.users, jetstream.KeyValueConfig{Bucket: usersBucket}},
		{&s.secrets, jetstream.KeyValueConfig{Bucket: secretsBucket}},
		{&s.tokens, jetstream.KeyValueConfig{Bucket: tokensBucket, LimitMarkerTTL: markerTTL}},
		{&s.counters, jetstream.KeyValueConfig{Bucket: countersBucket}},
		{&s.hostKeys, jetstream.KeyValueConfig{Bucket: hostKeysBucket}},
		{&s.files, jetstream.KeyValueConfig{Bucket: filesBucket}},
		{&s.locks, jetstream.KeyValueConfig{Bucket: locksBucket, LimitMarkerTTL: time.Second}},
	} {
		b.cfg.Storage, b.cfg.Replicas = jetstream.FileStorage, s.cfg.Replicas
		b.to.store = s
		if b.to.kv, err = s.js.CreateOrUpdateKeyValue(ctx, b.cfg); err != nil {
			return fmt.Errorf("making bucket %q: %w", b.cfg.Bucket, err)
		}
	}
	if s.audit, err = openAudit(ctx, s); err != nil {
		return err
	}
	return s.openCalls(ctx)
}

// Lost is closed when the connection to NATS has ended for good. Before Close that is a failure, after which nothing can be read or stored: the
// store must be opened anew. LostErr says why.
func (s *Store) Lost() <-chan struct{} { return s.lost }

// LostErr is why the connection ended.
func (s *Store) LostErr() error {
	return fmt.Errorf("the connection to NATS has ended: %w", cmp.Or(s.conn.LastError(), nats.ErrConnectionClosed))
}

// Close commits the queued audit entries, then ends the server and every goroutine.
func (s *Store) Close() error {
	var err error
	if s.audit != nil {
		err = s.audit.close()
	}
	if s.conn != nil {
		s.conn.Close()
	}
	if s.server != nil {
		s.server.stop()
	}
	return err
}
