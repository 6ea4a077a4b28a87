package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// EndToken remembers that a token was given back, for as long as it would have been good.
func (s *Store) EndToken(ctx context.Context, id string, left time.Duration) error {
	_, err := s.tokens.Create(ctx, id, nil, jetstream.KeyTTL(max(left, 0).Truncate(time.Second)+2*time.Second))
	if err != nil && !errors.Is(err, jetstream.ErrKeyExists) {
		return fmt.Errorf("ending token %q: %w", short(id), err)
	}
	return nil
}

// TokenEnded tells whether a token was given back.
func (s *Store) TokenEnded(ctx context.Context, id string) (bool, error) {
	switch _, err := s.tokens.Get(ctx, id); {
	case err == nil:
		return true, nil
	case errors.Is(err, jetstream.ErrKeyNotFound), errors.Is(err, jetstream.ErrInvalidKey):
		return false, nil
	default:
		return false, fmt.Errorf("reading token %q: %w", short(id), err)
	}
}
