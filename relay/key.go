package relay

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"minato/relay/store"
)

// Key describes an authentication key. Its secret is told once, when it is made.
type Key struct {
	ID, Name, Role string
	SIMs           []string          // ids of the SIMs that it sees
	Tags           map[string]string // and SIMs with one of these tags; with neither it sees all
	CreatedAt      time.Time
}

// Keys manages the authentication keys in the state folder of a relay that is not running.
type Keys struct{ store *store.Store }

// OpenKeys opens the state folder of a relay. One process at a time may have it open: it fails while the relay runs.
func OpenKeys(ctx context.Context, dir string, log *slog.Logger) (*Keys, error) {
	s, err := store.Open(ctx, store.Config{Dir: storeDir(dir), Logger: log, AuditAge: keepAll, CallAge: keepAll})
	if err != nil {
		return nil, fmt.Errorf("opening the relay's state: %w", err)
	}
	return &Keys{store: s}, nil
}

// Close gives the state folder free.
func (k *Keys) Close() error { return k.store.Close() }

// Create makes a key; its ID and CreatedAt are chosen here.
func (k *Keys) Create(ctx context.Context, key Key) (id, secret string, err error) {
	return createKey(ctx, k.store, key, time.Now())
}

// List lists the keys, oldest first.
func (k *Keys) List(ctx context.Context) ([]Key, error) {
	stored, err := k.store.Keys(ctx)
	if err != nil {
		return nil, fmt.Errorf("listing the keys: %w", err)
	}
	keys := make([]Key, 0, len(stored))
	for _, s := range stored {
		keys = append(keys, Key{ID: s.ID, Name: s.Name, Role: s.Role, SIMs: s.SIMs, Tags: s.Tags, CreatedAt: s.CreatedAt})
	}
	return keys, nil
}

// Revoke removes a key; the tokens made with it end at once.
func (k *Keys) Revoke(ctx context.Context, id string) error {
	if err := k.store.DeleteKey(ctx, id); err != nil {
		return fmt.Errorf("revoking key %q: %w", id, err)
	}
	return nil
}

func createKey(ctx context.Context, s *store.Store, key Key, now time.Time) (id, secret string, err error) {
	if !mayAct(key.Role, RoleViewer) {
		return "", "", fmt.Errorf("role %q is not one of admin, operator and viewer", key.Role)
	}
	id, secret = "keyId-"+newUUID(), "secret-"+newSecret()
	err = s.PutKey(ctx, store.Key{ID: id, Hash: []byte(hashSecret(secret)), Role: key.Role, Name: key.Name, SIMs: key.SIMs, Tags: key.Tags, CreatedAt: now})
	if err != nil {
		return "", "", fmt.Errorf("storing a key: %w", err)
	}
	return id, secret, nil
}

// bootstrap makes the first key of a relay that has none.
func (r *Relay) bootstrap(ctx context.Context) error {
	if r.cfg.BootstrapKey == nil {
		return nil
	}
	keys, err := r.store.Keys(ctx)
	if err != nil {
		return fmt.Errorf("listing the keys: %w", err)
	}
	if len(keys) > 0 {
		return nil
	}
	id, secret, err := createKey(ctx, r.store, Key{Name: "first admin key", Role: RoleAdmin}, r.cfg.Clock.Now())
	if err != nil {
		return err
	}
	r.cfg.BootstrapKey(id, secret)
	return nil
}
