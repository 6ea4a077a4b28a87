// Package store keeps what a relay must not lose: port mappings, the audit log, API keys and secrets, on NATS
// JetStream. The server runs in this process and listens nowhere, unless Config.URL names a cluster; the code is the same.
//
// Mappings are a key-value bucket: created by compare-and-set and synced to the disk before CreateMapping returns, so
// that an acknowledged one survives kill -9 and a power cut. The audit log is two streams: entries about mappings are
// synced one by one, entries about connections are committed in groups within 50 ms.
package store

import (
	"context"
	"log/slog"
	"net/netip"
	"time"
)

// Config of a store.
type Config struct {
	Dir    string       // folder of the embedded server, made with mode 0700; required unless URL is set. One process at a time.
	Logger *slog.Logger // nil: discard

	URL      string // external NATS cluster; "": a server in this process
	Node     string // this node's name among those that share a cluster, letters, digits, - and _; "": "0"
	Replicas int    // copies of each stream in a cluster; 0: 1

	AuditAge time.Duration // audit entries older than this are dropped; 0: 366 days

	// ExpiryGrace is how long the entry of an ended mapping stays, unseen by Mapping and Mappings, so that a node that
	// was down at its end can still write EXPIRED (see Ended). Then the bucket's own TTL removes it. 0: an hour.
	ExpiryGrace time.Duration

	Now func() time.Time // nil: time.Now
}

// Store is an open store. Its methods may be called by several goroutines.
type Store struct{}

// Open starts the embedded server (or connects to Config.URL) and makes what is missing.
func Open(ctx context.Context, cfg Config) (*Store, error) { panic("store: not built yet") }

// Close commits the queued audit entries, then ends the server and every goroutine.
func (s *Store) Close() error { panic("store: not built yet") }

// CreateMapping stores a mapping that ends at m.ExpiresAt and returns it with its Revision. ErrExists if another that has not
// ended has the same address and port.
func (s *Store) CreateMapping(ctx context.Context, m Mapping) (Mapping, error) {
	panic("store: not built yet")
}

// ExtendMapping gives a mapping another end and duration. ErrConflict if m.Revision is not the stored one, ErrNotFound if it is gone or has ended.
func (s *Store) ExtendMapping(ctx context.Context, m Mapping, expiresAt time.Time) (Mapping, error) {
	panic("store: not built yet")
}

// DeleteMapping removes a mapping and returns what it was. ErrNotFound if there is none or it has ended.
func (s *Store) DeleteMapping(ctx context.Context, addr netip.AddrPort) (Mapping, error) {
	panic("store: not built yet")
}

// ExpireMapping removes the entry of a mapping that has ended. ErrNotFound if another node was first (or the mapping was extended or
// replaced): whoever gets nil writes EXPIRED.
func (s *Store) ExpireMapping(ctx context.Context, m Mapping) error { panic("store: not built yet") }

// Mapping returns one. ErrNotFound if there is none or it has ended.
func (s *Store) Mapping(ctx context.Context, addr netip.AddrPort) (Mapping, error) {
	panic("store: not built yet")
}

// Mappings returns all that have not ended, by address and port.
func (s *Store) Mappings(ctx context.Context) ([]Mapping, error) { panic("store: not built yet") }

// Ended returns the mappings that have ended and whose entries are still there: the caller writes EXPIRED and calls ExpireMapping.
func (s *Store) Ended(ctx context.Context) ([]Mapping, error) { panic("store: not built yet") }

// WatchMappings calls fn, one event at a time, first with MappingCreated for each mapping there is, then for each change. It
// returns nil when ctx ends. Nodes keep their own timers for ExpiresAt: the entry itself goes later.
func (s *Store) WatchMappings(ctx context.Context, fn func(Event)) error {
	panic("store: not built yet")
}

// AppendAudit queues an entry, which is committed within 50 ms. It waits only while the queue is full, so that nothing is lost.
func (s *Store) AppendAudit(ctx context.Context, e Entry) error { panic("store: not built yet") }

// AppendAuditSync commits an entry before it returns. Entries about mappings (Created, Deleted, Expired) are synced to the disk.
func (s *Store) AppendAuditSync(ctx context.Context, e Entry) error { panic("store: not built yet") }

// Audit returns the newest entries that the query chooses, newest first, and next, the Query.Before of the following page: "" at the end.
func (s *Store) Audit(ctx context.Context, q Query) (entries []Entry, next string, err error) {
	panic("store: not built yet")
}

// Key is an API key: its secret is kept only as a hash.
type Key struct {
	ID        string    `json:"id"`
	Hash      []byte    `json:"hash"`
	Role      string    `json:"role"`
	Name      string    `json:"name,omitempty"`
	CreatedAt time.Time `json:"createdAt"`
}

// PutKey stores a key, replacing one with the same ID.
func (s *Store) PutKey(ctx context.Context, k Key) error { panic("store: not built yet") }

// Key returns one key, or ErrNotFound.
func (s *Store) Key(ctx context.Context, id string) (Key, error) { panic("store: not built yet") }

// Keys returns all keys by CreatedAt.
func (s *Store) Keys(ctx context.Context) ([]Key, error) { panic("store: not built yet") }

// DeleteKey removes a key. ErrNotFound if there is none.
func (s *Store) DeleteKey(ctx context.Context, id string) error { panic("store: not built yet") }

// Secret returns the secret of that name. If there is none it is made, once for all nodes: of several that try at a time one wins and
// all return what it stored.
func (s *Store) Secret(ctx context.Context, name string, make func() ([]byte, error)) ([]byte, error) {
	panic("store: not built yet")
}
