package store

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// Files are for what keeps its state by names with slashes: the ACME client, whose account and certificates all nodes share.

// File is one, without its content.
type File struct {
	Name     string
	Modified time.Time
	Size     int64
}

// fileKey is a file's key in the bucket: any name will do.
func fileKey(name string) string { return base64.RawURLEncoding.EncodeToString([]byte(name)) }

// PutFile stores a file, replacing one of that name.
func (s *Store) PutFile(ctx context.Context, name string, content []byte) error {
	if _, err := s.files.Put(ctx, fileKey(name), content); err != nil {
		return fmt.Errorf("storing file %q: %w", short(name), err)
	}
	return nil
}

// ReadFile returns a file, or ErrNotFound.
func (s *Store) ReadFile(ctx context.Context, name string) ([]byte, File, error) {
	e, err := s.files.Get(ctx, fileKey(name))
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		err = ErrNotFound
	}
	if err != nil {
		return nil, File{}, fmt.Errorf("reading file %q: %w", short(name), err)
	}
	return e.Value(), File{name, e.Created(), int64(len(e.Value()))}, nil
}

// RemoveFiles removes a file and all whose names go on from it with a slash. It is no error if there are none.
func (s *Store) RemoveFiles(ctx context.Context, name string) error {
	list, err := s.Files(ctx, name)
	if err != nil {
		return err
	}
	for _, f := range list {
		if err := s.files.Purge(ctx, fileKey(f.Name)); err != nil {
			return fmt.Errorf("removing file %q: %w", short(f.Name), err)
		}
	}
	return nil
}

// Files lists a file and all whose names go on from it with a slash; "" lists all.
func (s *Store) Files(ctx context.Context, name string) ([]File, error) {
	entries, err := s.files.entries(ctx)
	if err != nil {
		return nil, fmt.Errorf("listing files: %w", err)
	}
	var list []File
	for _, e := range entries {
		b, err := base64.RawURLEncoding.DecodeString(e.Key())
		if err != nil {
			return nil, fmt.Errorf("listing files: key %q: %w", e.Key(), err)
		}
		if n := string(b); name == "" || n == name || strings.HasPrefix(n, name+"/") {
			list = append(list, File{n, e.Created(), int64(len(e.Value()))})
		}
	}
	return list, nil
}

const (
	lockTTL      = 2 * time.Minute // of a lock whose holder has died
	lockInterval = time.Second     // at which a lock that is held is tried again
)

// Lock waits until no other node holds a lock of that name. It ends by itself after two minutes, so it keeps work from being done twice, and is
// no promise that it is not.
func (s *Store) Lock(ctx context.Context, name string) error {
	for {
		_, err := s.locks.Create(ctx, fileKey(name), []byte(s.cfg.Node), jetstream.KeyTTL(lockTTL))
		if err == nil {
			return nil
		}
		if !errors.Is(err, jetstream.ErrKeyExists) {
			return fmt.Errorf("taking lock %q: %w", short(name), err)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("taking lock %q: %w", short(name), context.Cause(ctx))
		case <-time.After(lockInterval):
		}
	}
}

// Unlock lets the next one have it.
func (s *Store) Unlock(ctx context.Context, name string) error {
	if err := s.locks.Purge(ctx, fileKey(name)); err != nil {
		return fmt.Errorf("giving back lock %q: %w", short(name), err)
	}
	return nil
}
