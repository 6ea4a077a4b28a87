package store

import (
	"context"
	"fmt"

	"github.com/nats-io/nats.go/jetstream"
)

// WatchMappings calls fn, one event at a time, first with MappingCreated for each mapping there is, then for each change
// by this node or another. It returns nil when ctx ends. Nodes keep their own timers for ExpiresAt: the entry goes later.
func (s *Store) WatchMappings(ctx context.Context, fn func(Event)) error {
	w, err := s.mappings.WatchAll(ctx)
	if err != nil {
		return fmt.Errorf("watching mappings: %w", err)
	}
	defer w.Stop()
	known := make(map[string]Mapping)
	for {
		select {
		case <-ctx.Done():
			return nil
		case e, open := <-w.Updates():
			switch {
			case !open && ctx.Err() != nil:
				return nil
			case !open:
				return fmt.Errorf("watching mappings: %w", ErrClosed)
			case e != nil: // nil parts what there was from what changes
				s.mappingChanged(known, e, fn)
			}
		}
	}
}

// mappingChanged turns one entry into events and keeps known up to date.
func (s *Store) mappingChanged(known map[string]Mapping, e jetstream.KeyValueEntry, fn func(Event)) {
	old, had := known[e.Key()]
	gone := func() {
		delete(known, e.Key())
		kind := MappingDeleted
		if old.Expired(s.cfg.Now()) {
			kind = MappingExpired
		}
		fn(Event{kind, old})
	}
	if e.Operation() != jetstream.KeyValuePut {
		if had {
			gone()
		}
		return
	}
	m, err := decodeMapping(e)
	switch {
	case err != nil:
		s.log.Error("mapping left out", "key", e.Key(), "err", err)
		return
	case had && m.CreatedAt.Equal(old.CreatedAt):
		known[e.Key()] = m
		fn(Event{MappingExtended, m})
		return
	case had:
		gone()
	}
	if !m.Expired(s.cfg.Now()) {
		known[e.Key()] = m
		fn(Event{MappingCreated, m})
	}
}
