package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// Key is an API key. Its secret is kept only as a hash, which the caller makes and checks.
type Key struct {
	ID        string    `json:"id"` // letters, digits, - _ = . and /
	Hash      []byte    `json:"hash"`
	Role      string    `json:"role"`
	Name      string    `json:"name,omitempty"`
	CreatedAt time.Time `json:"createdAt"`

	// What it may see; with neither it is everything.
	SIMs []string          `json:"sims,omitempty"` // ids
	Tags map[string]string `json:"tags,omitempty"` // SIMs with one of these
}

// PutKey stores a key, replacing one with the same ID.
func (s *Store) PutKey(ctx context.Context, k Key) error {
	value, err := json.Marshal(k)
	if err == nil {
		_, err = s.keys.Put(ctx, k.ID, value)
	}
	if err != nil {
		return fmt.Errorf("storing key %q: %w", short(k.ID), err)
	}
	return nil
}

// Key returns one key, or ErrNotFound.
func (s *Store) Key(ctx context.Context, id string) (Key, error) {
	e, err := s.keys.Get(ctx, id)
	switch {
	case errors.Is(err, jetstream.ErrKeyNotFound), errors.Is(err, jetstream.ErrInvalidKey):
		return Key{}, fmt.Errorf("reading key %q: %w", short(id), ErrNotFound)
	case err != nil:
		return Key{}, fmt.Errorf("reading key %q: %w", short(id), err)
	}
	return decodeKey(e)
}

// Keys returns all keys, oldest first.
func (s *Store) Keys(ctx context.Context) ([]Key, error) {
	entries, err := s.keys.entries(ctx)
	if err != nil {
		return nil, fmt.Errorf("listing keys: %w", err)
	}
	list := make([]Key, 0, len(entries))
	for _, e := range entries {
		k, err := decodeKey(e)
		if err != nil {
			return nil, err
		}
		list = append(list, k)
	}
	slices.SortFunc(list, func(a, b Key) int { return a.CreatedAt.Compare(b.CreatedAt) })
	return list, nil
}

// DeleteKey removes a key. ErrNotFound if there is none.
func (s *Store) DeleteKey(ctx context.Context, id string) error {
	if _, err := s.Key(ctx, id); err != nil {
		return err
	}
	if err := s.keys.Purge(ctx, id); err != nil {
		return fmt.Errorf("deleting key %q: %w", short(id), err)
	}
	return nil
}

func decodeKey(e jetstream.KeyValueEntry) (Key, error) {
	var k Key
	if err := json.Unmarshal(e.Value(), &k); err != nil {
		return Key{}, fmt.Errorf("decoding key %q: %w", e.Key(), err)
	}
	return k, nil
}

// Secret returns the secret of that name. If there is none it is made, once for all nodes: of several that try at the
// same time one wins, and all return what it stored.
func (s *Store) Secret(ctx context.Context, name string, make func() ([]byte, error)) ([]byte, error) {
	value, err := s.secret(ctx, name, make)
	if err != nil {
		return nil, fmt.Errorf("reading secret %q: %w", short(name), err)
	}
	return value, nil
}

func (s *Store) secret(ctx context.Context, name string, make func() ([]byte, error)) ([]byte, error) {
	e, err := s.secrets.Get(ctx, name)
	if err == nil {
		return e.Value(), nil
	}
	if !errors.Is(err, jetstream.ErrKeyNotFound) {
		return nil, err
	}
	value, err := make()
	if err != nil {
		return nil, fmt.Errorf("making it: %w", err)
	}
	if _, err = s.secrets.Create(ctx, name, value); err == nil {
		return value, nil
	}
	if !errors.Is(err, jetstream.ErrKeyExists) {
		return nil, err
	}
	if e, err = s.secrets.Get(ctx, name); err != nil {
		return nil, err
	}
	return e.Value(), nil
}
