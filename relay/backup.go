package relay

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"minato/relay/store"
)

// keepAll is a retention for tools: opening the store with less would drop what the relay's own configuration keeps.
const keepAll = 100 * 365 * 24 * 3600 * 1e9

// Backup saves the state folder of a relay that is not running to a new file, and returns the number of records. The file holds secrets, the
// private CA's key among them.
func Backup(ctx context.Context, dir, file string) (n int, err error) {
	s, err := openState(ctx, dir)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	f, err := os.OpenFile(file, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return 0, fmt.Errorf("making the backup's file: %w", err)
	}
	n, err = s.Backup(ctx, f)
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		err = syncDir(filepath.Dir(file))
	}
	if err != nil {
		return n, errors.Join(err, os.Remove(file))
	}
	return n, nil
}

// Restore fills an empty state folder from a backup, and returns the number of records.
func Restore(ctx context.Context, dir, file string) (n int, err error) {
	f, err := os.Open(file)
	if err != nil {
		return 0, fmt.Errorf("opening the backup: %w", err)
	}
	defer f.Close()
	s, err := openState(ctx, dir)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	return s.Restore(ctx, f)
}

func openState(ctx context.Context, dir string) (*store.Store, error) {
	s, err := store.Open(ctx, store.Config{Dir: storeDir(dir), AuditAge: keepAll, CallAge: keepAll})
	if err != nil {
		return nil, fmt.Errorf("opening the relay's state: %w", err)
	}
	return s, nil
}
