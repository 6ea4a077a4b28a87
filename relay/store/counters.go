package store

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/nats-io/nats.go/jetstream"
)

// Add adds to a counter by compare-and-set, so that no node's part is lost.
func (s *Store) Add(ctx context.Context, name string, n int64) error {
	for {
		now, revision, err := s.counter(ctx, name)
		if err != nil {
			return fmt.Errorf("adding to counter %q: %w", short(name), err)
		}
		value := []byte(strconv.FormatInt(now+n, 10))
		if revision == 0 {
			_, err = s.counters.Create(ctx, name, value)
		} else {
			_, err = s.counters.Update(ctx, name, value, revision)
		}
		switch {
		case errors.Is(err, jetstream.ErrKeyExists), errors.Is(conflict(err), ErrConflict):
			continue
		case err != nil:
			return fmt.Errorf("adding to counter %q: %w", short(name), err)
		}
		return nil
	}
}

// Counter reads a counter; one that was never added to is 0.
func (s *Store) Counter(ctx context.Context, name string) (int64, error) {
	n, _, err := s.counter(ctx, name)
	if err != nil {
		return 0, fmt.Errorf("reading counter %q: %w", short(name), err)
	}
	return n, nil
}

func (s *Store) counter(ctx context.Context, name string) (n int64, revision uint64, err error) {
	e, err := s.counters.Get(ctx, name)
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		return 0, 0, nil
	}
	if err != nil {
		return 0, 0, err
	}
	n, err = strconv.ParseInt(string(e.Value()), 10, 64)
	return n, e.Revision(), err
}
