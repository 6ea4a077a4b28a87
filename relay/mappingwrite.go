package relay

import (
	"context"
	"errors"
	"net/netip"
	"time"

	"minato/relay/store"
)

// mappingStore is what the store does for the life of mappings. A write that fails with store.ErrUnsure may be stored all the same.
type mappingStore interface {
	Mapping(context.Context, netip.AddrPort) (store.Mapping, error)
	CreateMapping(context.Context, store.Mapping) (store.Mapping, error)
	ExtendMapping(context.Context, store.Mapping, time.Time) (store.Mapping, error)
	SpendMapping(ctx context.Context, m store.Mapping, connection string) (store.Mapping, error)
	DeleteMapping(context.Context, netip.AddrPort) (store.Mapping, error)
	ExpireMapping(context.Context, store.Mapping) error
}

const (
	storePatience  = 5 * time.Second  // for one answer of the store
	callerPatience = 30 * time.Second // of whoever waits for an operation on a mapping
	longestPause   = time.Second      // between two questions
)

// errSlowStore is what a caller is told that waited in vain.
var errSlowStore = errors.New("the store does not answer; it is asked again until it does, and what it says holds")

// carry does an operation on a mapping to its end, in a goroutine that the set counts, whether or not its caller waits for so long: half done, the
// store and what is served here would differ.
func (r *Relay) carry(do func() (store.Mapping, error)) (store.Mapping, error) {
	type outcome struct {
		m   store.Mapping
		err error
	}
	done := make(chan outcome, 1)
	r.mappings.timers.Go(func() {
		m, err := do()
		done <- outcome{m, err}
	})
	late := time.NewTimer(callerPatience)
	defer late.Stop()
	select {
	case o := <-done:
		return o.m, o.err
	case <-late.C:
		return store.Mapping{}, errSlowStore
	}
}

// untilKnown writes to the store until it is known what is stored. Again tells a write that one before it may have been. Only the end of the relay
// leaves it open: the next start goes by what is stored then.
func (r *Relay) untilKnown(write func(ctx context.Context, again bool) error) error {
	pause := 10 * time.Millisecond
	for again := false; ; again = true {
		ctx, cancel := context.WithTimeout(context.Background(), storePatience)
		err := write(ctx, again)
		cancel()
		if !errors.Is(err, store.ErrUnsure) {
			return err
		}
		r.log.Error("the store has not answered: asking again", "error", err)
		select {
		case <-r.mappings.ending:
			return err
		case <-time.After(pause):
		}
		pause = min(2*pause, longestPause)
	}
}

// storeNew stores a new mapping. ErrExists if another has its address.
func (r *Relay) storeNew(m store.Mapping) (stored store.Mapping, err error) {
	err = r.untilKnown(func(ctx context.Context, again bool) (err error) {
		stored, err = r.written.CreateMapping(ctx, m)
		if !again || !errors.Is(err, store.ErrExists) {
			return err
		}
		stored, err = r.written.Mapping(ctx, m.Addr())
		if err == nil && !(stored.CreatedAt.Equal(m.CreatedAt) && stored.SIMID == m.SIMID) {
			err = store.ErrExists
		}
		return err
	})
	return stored, err
}

// storeEnd stores another end of a mapping.
func (r *Relay) storeEnd(m store.Mapping, end time.Time) (extended store.Mapping, err error) {
	err = r.untilKnown(func(ctx context.Context, again bool) (err error) {
		extended, err = r.written.ExtendMapping(ctx, m, end)
		if !again || !errors.Is(err, store.ErrConflict) {
			return err
		}
		extended, err = r.written.Mapping(ctx, m.Addr())
		if err == nil && !extended.ExpiresAt.Equal(end) {
			err = store.ErrConflict
		}
		return err
	})
	return extended, err
}

// storeSpent stores that a connection has used a one-time mapping up. ErrNotFound if another has, or the mapping is gone.
func (r *Relay) storeSpent(m store.Mapping, connection string) (spent store.Mapping, err error) {
	err = r.untilKnown(func(ctx context.Context, again bool) (err error) {
		spent, err = r.written.SpendMapping(ctx, m, connection)
		for errors.Is(err, store.ErrConflict) { // extended in the meantime, or another connection was faster
			if m, err = r.written.Mapping(ctx, m.Addr()); err == nil {
				spent, err = r.written.SpendMapping(ctx, m, connection)
			}
		}
		if !again || !errors.Is(err, store.ErrNotFound) {
			return err
		}
		spent, err = r.written.Mapping(ctx, m.Addr())
		if err == nil && spent.SpentBy != connection {
			err = store.ErrNotFound
		}
		return err
	})
	return spent, err
}

// unstore removes a mapping before its end. ErrNotFound if it is not there.
func (r *Relay) unstore(addr netip.AddrPort) error {
	return r.untilKnown(func(ctx context.Context, again bool) error {
		_, err := r.written.DeleteMapping(ctx, addr)
		return goneBefore(err, again)
	})
}

// unstoreEnded removes a mapping that has ended. ErrNotFound if somebody else has.
func (r *Relay) unstoreEnded(m store.Mapping) error {
	return r.untilKnown(func(ctx context.Context, again bool) error {
		return goneBefore(r.written.ExpireMapping(ctx, m), again)
	})
}

// goneBefore takes what is gone for removed by the write before, which may have been stored.
func goneBefore(err error, again bool) error {
	if again && errors.Is(err, store.ErrNotFound) {
		return nil
	}
	return err
}
