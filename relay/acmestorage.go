package relay

import (
	"context"
	"errors"
	"io/fs"
	"slices"
	"strings"

	"github.com/caddyserver/certmagic"

	"minato/relay/store"
)

// acmeStorage keeps the ACME client's account, certificates and challenges in the store: every node has them, and a backup too.
type acmeStorage struct{ store *store.Store }

var _ certmagic.Storage = acmeStorage{}

func (s acmeStorage) Lock(ctx context.Context, name string) error { return s.store.Lock(ctx, name) }
func (s acmeStorage) Unlock(ctx context.Context, name string) error {
	return s.store.Unlock(ctx, name)
}

func (s acmeStorage) Store(ctx context.Context, key string, value []byte) error {
	return s.store.PutFile(ctx, key, value)
}

// Load returns fs.ErrNotExist where there is nothing, as certmagic asks.
func (s acmeStorage) Load(ctx context.Context, key string) ([]byte, error) {
	b, _, err := s.store.ReadFile(ctx, key)
	return b, notExist(err)
}

func (s acmeStorage) Delete(ctx context.Context, key string) error {
	return s.store.RemoveFiles(ctx, key)
}

func (s acmeStorage) Exists(ctx context.Context, key string) bool {
	list, err := s.store.Files(ctx, key)
	return err == nil && len(list) > 0
}

// List gives the names below path: files, and with them the folders on the way if not recursive.
func (s acmeStorage) List(ctx context.Context, path string, recursive bool) ([]string, error) {
	files, err := s.store.Files(ctx, path)
	if err != nil {
		return nil, err
	}
	if len(files) == 0 {
		return nil, fs.ErrNotExist
	}
	var list []string
	for _, f := range files {
		name := f.Name
		below := strings.TrimPrefix(strings.TrimPrefix(name, path), "/")
		if next, _, deeper := strings.Cut(below, "/"); deeper && !recursive {
			name = strings.TrimPrefix(path+"/"+next, "/")
		}
		if !slices.Contains(list, name) {
			list = append(list, name)
		}
	}
	return list, nil
}

func (s acmeStorage) Stat(ctx context.Context, key string) (certmagic.KeyInfo, error) {
	if _, f, err := s.store.ReadFile(ctx, key); err == nil {
		return certmagic.KeyInfo{Key: key, Modified: f.Modified, Size: f.Size, IsTerminal: true}, nil
	} else if !errors.Is(err, store.ErrNotFound) {
		return certmagic.KeyInfo{}, err
	}
	if !s.Exists(ctx, key) {
		return certmagic.KeyInfo{}, fs.ErrNotExist
	}
	return certmagic.KeyInfo{Key: key}, nil
}

func notExist(err error) error {
	if errors.Is(err, store.ErrNotFound) {
		return fs.ErrNotExist
	}
	return err
}
