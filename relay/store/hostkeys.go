package store

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go/jetstream"
)

// HostKey is the SSH host key that was accepted for a SIM's device; nil: none yet.
func (s *Store) HostKey(ctx context.Context, simID string) ([]byte, error) {
	e, err := s.hostKeys.Get(ctx, hostKeyName(simID))
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the host key of SIM %q: %w", short(simID), err)
	}
	return e.Value(), nil
}

// PutHostKey stores the SSH host key of a SIM's device in place of any other.
func (s *Store) PutHostKey(ctx context.Context, simID string, key []byte) error {
	if _, err := s.hostKeys.Put(ctx, hostKeyName(simID), key); err != nil {
		return fmt.Errorf("storing the host key of SIM %q: %w", short(simID), err)
	}
	return nil
}

// hostKeyName is a name that the bucket takes whatever a SIM's id is made of.
func hostKeyName(simID string) string {
	if len(simID) > maxName {
		return digest(simID)
	}
	return base64.RawURLEncoding.EncodeToString([]byte(simID))
}
