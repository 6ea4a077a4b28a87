package relay

import (
	"context"
	"errors"
)

// Alive asks the store for something, as each call of the API does: a watchdog's question. Call it after Ready.
func (r *Relay) Alive(ctx context.Context) error {
	_, err := r.store.Secret(ctx, tokenKeySecret, func() ([]byte, error) { return nil, errors.New("it is gone") })
	return err
}
