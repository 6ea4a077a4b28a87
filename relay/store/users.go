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

// User is somebody who signs in with a password, which is kept only as a hash that the caller makes and checks.
type User struct {
	Name      string    `json:"name"`
	Hash      string    `json:"hash"`
	Role      string    `json:"role"`
	CreatedAt time.Time `json:"createdAt"`

	// What they may see; with neither it is everything.
	SIMs []string          `json:"sims,omitempty"` // ids
	Tags map[string]string `json:"tags,omitempty"` // SIMs with one of these
}

// CreateUser stores a user. ErrExists if there is one of that name.
func (s *Store) CreateUser(ctx context.Context, u User) error {
	value, err := json.Marshal(u)
	if err == nil {
		_, err = s.users.Create(ctx, token(u.Name), value)
	}
	if errors.Is(err, jetstream.ErrKeyExists) {
		err = ErrExists
	}
	if err != nil {
		return fmt.Errorf("storing user %q: %w", short(u.Name), err)
	}
	return nil
}

// UpdateUser replaces what is stored of a user by what change makes of it. ErrNotFound if there is none, ErrConflict if another changed it in
// the meantime.
func (s *Store) UpdateUser(ctx context.Context, name string, change func(*User)) (User, error) {
	u, err := s.updateUser(ctx, name, change)
	if err != nil {
		return User{}, fmt.Errorf("changing user %q: %w", short(name), err)
	}
	return u, nil
}

func (s *Store) updateUser(ctx context.Context, name string, change func(*User)) (User, error) {
	u, revision, err := s.userEntry(ctx, name)
	if err != nil {
		return u, err
	}
	change(&u)
	value, err := json.Marshal(u)
	if err == nil {
		_, err = s.users.Update(ctx, token(name), value, revision)
	}
	return u, conflict(err)
}

// User returns one, or ErrNotFound.
func (s *Store) User(ctx context.Context, name string) (User, error) {
	u, _, err := s.userEntry(ctx, name)
	if err != nil {
		return User{}, fmt.Errorf("reading user %q: %w", short(name), err)
	}
	return u, nil
}

func (s *Store) userEntry(ctx context.Context, name string) (u User, revision uint64, err error) {
	e, err := s.users.Get(ctx, token(name))
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		return u, 0, ErrNotFound
	}
	if err != nil {
		return u, 0, err
	}
	u, err = decodeUser(e)
	return u, e.Revision(), err
}

// Users returns all, oldest first.
func (s *Store) Users(ctx context.Context) ([]User, error) {
	entries, err := s.users.entries(ctx)
	if err != nil {
		return nil, fmt.Errorf("listing users: %w", err)
	}
	list := make([]User, 0, len(entries))
	for _, e := range entries {
		u, err := decodeUser(e)
		if err != nil {
			return nil, err
		}
		list = append(list, u)
	}
	slices.SortFunc(list, func(a, b User) int { return a.CreatedAt.Compare(b.CreatedAt) })
	return list, nil
}

// DeleteUser removes a user. ErrNotFound if there is none.
func (s *Store) DeleteUser(ctx context.Context, name string) error {
	if _, err := s.User(ctx, name); err != nil {
		return err
	}
	if err := s.users.Purge(ctx, token(name)); err != nil {
		return fmt.Errorf("deleting user %q: %w", short(name), err)
	}
	return nil
}

func decodeUser(e jetstream.KeyValueEntry) (User, error) {
	var u User
	if err := json.Unmarshal(e.Value(), &u); err != nil {
		return User{}, fmt.Errorf("decoding user %q: %w", e.Key(), err)
	}
	return u, nil
}
