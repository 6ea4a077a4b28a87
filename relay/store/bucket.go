package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"github.com/nats-io/nats.go/jetstream"
)

// The server closes a connection whose control line, which holds the subject, is longer than 4096 bytes, and the client never comes back from
// that. So all of this package's subjects are shorter: keys by bucket, which is the only way to one, and the names in audit subjects by token.
const (
	maxKey  = 1024 // bytes of a bucket's key
	maxName = 128  // bytes of a name as it is, in a key or subject; of a longer one its digest stands there
	maxNode = 64   // bytes of a node's name
)

// bucket is a key-value bucket that no key is too long for: nothing is found under one, and nothing is stored.
type bucket struct {
	store *Store
	kv    jetstream.KeyValue
}

func checkKey(key string) error {
	if len(key) > maxKey {
		return fmt.Errorf("a key of %d bytes, of %d at most: %w", len(key), maxKey, jetstream.ErrInvalidKey)
	}
	return nil
}

func (b bucket) Get(ctx context.Context, key string) (jetstream.KeyValueEntry, error) {
	if checkKey(key) != nil {
		return nil, jetstream.ErrKeyNotFound
	}
	return b.kv.Get(ctx, key)
}

func (b bucket) Put(ctx context.Context, key string, value []byte) (uint64, error) {
	if err := checkKey(key); err != nil {
		return 0, err
	}
	ctx, cancel := context.WithTimeout(ctx, ackTimeout) // a stream that cannot write does not answer
	defer cancel()
	revision, err := b.kv.Put(ctx, key, value)
	b.store.mendAfter(err)
	return revision, err
}

func (b bucket) Create(ctx context.Context, key string, value []byte, options ...jetstream.KVCreateOpt) (uint64, error) {
	if err := checkKey(key); err != nil {
		return 0, err
	}
	ctx, cancel := context.WithTimeout(ctx, ackTimeout)
	defer cancel()
	revision, err := b.kv.Create(ctx, key, value, options...)
	b.store.mendAfter(err)
	return revision, err
}

func (b bucket) Update(ctx context.Context, key string, value []byte, revision uint64) (uint64, error) {
	if err := checkKey(key); err != nil {
		return 0, err
	}
	ctx, cancel := context.WithTimeout(ctx, ackTimeout)
	defer cancel()
	written, err := b.kv.Update(ctx, key, value, revision)
	b.store.mendAfter(err)
	return written, err
}

func (b bucket) Purge(ctx context.Context, key string, options ...jetstream.KVDeleteOpt) error {
	if err := checkKey(key); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, ackTimeout)
	defer cancel()
	err := b.kv.Purge(ctx, key, options...)
	b.store.mendAfter(err)
	return err
}

func (b bucket) WatchAll(ctx context.Context, options ...jetstream.WatchOpt) (jetstream.KeyWatcher, error) {
	return b.kv.WatchAll(ctx, options...)
}

// entries reads all keys in one pass.
func (b bucket) entries(ctx context.Context) ([]jetstream.KeyValueEntry, error) {
	w, err := b.WatchAll(ctx, jetstream.IgnoreDeletes())
	if err != nil {
		return nil, err
	}
	defer w.Stop()
	var entries []jetstream.KeyValueEntry
	for {
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case e, open := <-w.Updates():
			switch {
			case !open:
				return nil, ErrClosed
			case e == nil:
				return entries, nil
			}
			entries = append(entries, e)
		}
	}
}

// digest stands for a name that is too long. No other name's key or token begins so.
func digest(name string) string {
	sum := sha256.Sum256([]byte(name))
	return "==" + hex.EncodeToString(sum[:])
}

// short is a name as errors say it: some come from strangers.
func short(name string) string {
	if len(name) <= maxName {
		return name
	}
	return name[:maxName] + "..."
}
