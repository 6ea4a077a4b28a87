package store

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// markerTTL is how long a marker of a deleted or expired key stays for watchers that were cut off.
const markerTTL = time.Hour

// CreateMapping stores a mapping that ends at m.ExpiresAt and returns it with its Revision. ErrExists if another that has not
// ended has the same address and port.
func (s *Store) CreateMapping(ctx context.Context, m Mapping) (Mapping, error) {
	created, err := s.createMapping(ctx, m)
	if err != nil {
		return Mapping{}, fmt.Errorf("creating mapping %v: %w", m.Addr(), err)
	}
	return created, nil
}

func (s *Store) createMapping(ctx context.Context, m Mapping) (Mapping, error) {
	now := s.cfg.Now()
	switch {
	case !m.IP.IsValid() || m.Port == 0:
		return m, errors.New("address and port are required")
	case m.Expired(now):
		return m, fmt.Errorf("it has ended at %v", m.ExpiresAt)
	}
	m.IP = m.IP.Unmap()
	value, err := encodeMapping(m)
	if err != nil {
		return m, err
	}
	key, ttl := mappingKey(m.Addr()), s.entryTTL(m, now)
	m.Revision, err = s.mappings.Create(ctx, key, value, jetstream.KeyTTL(ttl))
	if !errors.Is(err, jetstream.ErrKeyExists) {
		return m, unsure(err)
	}
	// The entry of an ended mapping gives way, by compare-and-set on what was seen.
	old, err := s.mappingEntry(ctx, m.Addr())
	switch {
	case errors.Is(err, ErrNotFound): // gone between the two calls
		m.Revision, err = s.mappings.Create(ctx, key, value, jetstream.KeyTTL(ttl))
		if errors.Is(err, jetstream.ErrKeyExists) {
			err = ErrExists
		}
		return m, unsure(err)
	case err != nil:
		return m, err
	case !old.Expired(now):
		return m, ErrExists
	}
	m.Revision, err = s.putMapping(ctx, key, value, old.Revision, ttl)
	if errors.Is(err, ErrConflict) {
		err = ErrExists
	}
	return m, err
}

// ExtendMapping gives a mapping another end, and the duration that follows. ErrConflict if m.Revision is not the stored
// one, ErrNotFound if it is gone or has ended.
func (s *Store) ExtendMapping(ctx context.Context, m Mapping, expiresAt time.Time) (Mapping, error) {
	extended, err := s.extendMapping(ctx, m, expiresAt)
	if err != nil {
		return Mapping{}, fmt.Errorf("extending mapping %v: %w", m.Addr(), err)
	}
	return extended, nil
}

func (s *Store) extendMapping(ctx context.Context, m Mapping, expiresAt time.Time) (Mapping, error) {
	now := s.cfg.Now()
	if !now.Before(expiresAt) {
		return m, fmt.Errorf("the new end %v is past", expiresAt)
	}
	stored, err := s.Mapping(ctx, m.Addr())
	switch {
	case err != nil:
		return m, err
	case stored.Revision != m.Revision:
		return m, ErrConflict
	}
	stored.ExpiresAt = expiresAt
	// Where the clock was set back to before the mapping was made, it lasts from now.
	stored.Duration = max(expiresAt.Sub(stored.CreatedAt), expiresAt.Sub(now).Round(time.Second))
	value, err := encodeMapping(stored)
	if err != nil {
		return m, err
	}
	stored.Revision, err = s.putMapping(ctx, mappingKey(m.Addr()), value, m.Revision, s.entryTTL(stored, now))
	return stored, err
}

// SpendMapping marks a one-time mapping as used by a connection. ErrConflict if m.Revision is not the stored one, ErrNotFound if the mapping is
// gone, has ended or is spent: of any number of callers, on any node, one gets nil.
func (s *Store) SpendMapping(ctx context.Context, m Mapping, connection string) (Mapping, error) {
	stored, err := s.Mapping(ctx, m.Addr())
	switch {
	case err != nil:
	case stored.SpentBy != "":
		err = ErrNotFound
	case stored.Revision != m.Revision:
		err = ErrConflict
	default:
		var value []byte
		stored.SpentBy = connection
		if value, err = encodeMapping(stored); err == nil {
			stored.Revision, err = s.putMapping(ctx, mappingKey(m.Addr()), value, m.Revision, s.entryTTL(stored, s.cfg.Now()))
		}
	}
	if err != nil {
		return Mapping{}, fmt.Errorf("spending mapping %v: %w", m.Addr(), err)
	}
	return stored, nil
}

// putMapping writes over the revision that was seen. The bucket's Update would drop the TTL, and the entry would stay
// for ever, so this publishes to the key's subject what Update would, with the TTL.
func (s *Store) putMapping(ctx context.Context, key string, value []byte, revision uint64, ttl time.Duration) (uint64, error) {
	if err := checkKey(key); err != nil {
		return 0, err
	}
	ctx, cancel := context.WithTimeout(ctx, ackTimeout)
	defer cancel()
	msg := &nats.Msg{Subject: "$KV." + mappingsBucket + "." + key, Data: value}
	ack, err := s.js.PublishMsg(ctx, msg, jetstream.WithExpectLastSequencePerSubject(revision), jetstream.WithMsgTTL(ttl))
	if err != nil {
		s.mendAfter(err)
		return 0, unsure(conflict(err))
	}
	return ack.Sequence, nil
}

// DeleteMapping removes a mapping and returns what it was. ErrNotFound if there is none or it has ended.
func (s *Store) DeleteMapping(ctx context.Context, addr netip.AddrPort) (Mapping, error) {
	m, err := s.Mapping(ctx, addr)
	if err == nil {
		err = s.removeMapping(ctx, m)
	}
	if err != nil {
		return Mapping{}, fmt.Errorf("deleting mapping %v: %w", addr, err)
	}
	return m, nil
}

// ExpireMapping removes the entry of a mapping that its caller has ended, whatever the clock says now. ErrNotFound if
// another node was first, or the mapping was extended or replaced: whoever gets nil writes EXPIRED.
func (s *Store) ExpireMapping(ctx context.Context, m Mapping) error {
	stored, err := s.mappingEntry(ctx, m.Addr())
	if err == nil && stored.Revision != m.Revision {
		err = ErrNotFound
	}
	if err == nil {
		err = s.removeMapping(ctx, stored)
	}
	if err != nil {
		return fmt.Errorf("expiring mapping %v: %w", m.Addr(), err)
	}
	return nil
}

// removeMapping lets one caller win for each revision; the others get ErrNotFound.
func (s *Store) removeMapping(ctx context.Context, m Mapping) error {
	err := s.mappings.Purge(ctx, mappingKey(m.Addr()), jetstream.LastRevision(m.Revision), jetstream.PurgeTTL(markerTTL))
	if err = conflict(err); errors.Is(err, ErrConflict) {
		return ErrNotFound
	}
	return unsure(err)
}

// Mapping returns one. ErrNotFound if there is none or it has ended.
func (s *Store) Mapping(ctx context.Context, addr netip.AddrPort) (Mapping, error) {
	m, err := s.mappingEntry(ctx, addr)
	if err == nil && m.Expired(s.cfg.Now()) {
		return Mapping{}, ErrNotFound
	}
	return m, err
}

// Mappings returns all that have not ended, by address and port.
func (s *Store) Mappings(ctx context.Context) ([]Mapping, error) { return s.listMappings(ctx, false) }

// Ended returns the mappings that have ended and whose entries are still there: the caller calls ExpireMapping and
// writes EXPIRED.
func (s *Store) Ended(ctx context.Context) ([]Mapping, error) { return s.listMappings(ctx, true) }

func (s *Store) listMappings(ctx context.Context, ended bool) ([]Mapping, error) {
	entries, err := s.mappings.entries(ctx)
	if err != nil {
		return nil, fmt.Errorf("listing mappings: %w", err)
	}
	now := s.cfg.Now()
	var list []Mapping
	for _, e := range entries {
		m, err := decodeMapping(e)
		if err != nil {
			s.log.Error("mapping left out", "key", e.Key(), "err", err)
			continue
		}
		if m.Expired(now) == ended {
			list = append(list, m)
		}
	}
	slices.SortFunc(list, func(a, b Mapping) int {
		return cmp.Or(a.IP.Compare(b.IP), cmp.Compare(a.Port, b.Port))
	})
	return list, nil
}

// mappingEntry returns what is stored, ended or not.
func (s *Store) mappingEntry(ctx context.Context, addr netip.AddrPort) (Mapping, error) {
	e, err := s.mappings.Get(ctx, mappingKey(addr))
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		return Mapping{}, ErrNotFound
	}
	if err != nil {
		return Mapping{}, unsure(err)
	}
	return decodeMapping(e)
}

// entryTTL is when the bucket removes the entry by itself: the backstop behind ExpireMapping. NATS counts whole seconds.
func (s *Store) entryTTL(m Mapping, now time.Time) time.Duration {
	return (m.ExpiresAt.Sub(now) + s.cfg.ExpiryGrace + time.Second - 1).Truncate(time.Second)
}

// mappingKey is the bucket's key: a colon is not allowed in one, and a dot would part it.
func mappingKey(addr netip.AddrPort) string {
	ip := strings.NewReplacer(".", "-", ":", "_").Replace(addr.Addr().Unmap().String())
	return ip + "." + strconv.Itoa(int(addr.Port()))
}

// mappingRecord is the value in the bucket.
type mappingRecord struct {
	V int `json:"v"`
	Mapping
}

const mappingVersion = 1

func encodeMapping(m Mapping) ([]byte, error) {
	return json.Marshal(mappingRecord{mappingVersion, m})
}

func decodeMapping(e jetstream.KeyValueEntry) (Mapping, error) {
	var r mappingRecord
	if err := json.Unmarshal(e.Value(), &r); err != nil {
		return Mapping{}, fmt.Errorf("decoding mapping %q: %w", e.Key(), err)
	}
	if r.V != mappingVersion {
		return Mapping{}, fmt.Errorf("decoding mapping %q: version %d, want %d", e.Key(), r.V, mappingVersion)
	}
	r.Revision = e.Revision()
	return r.Mapping, nil
}

// conflict names the server's refusal of a compare-and-set.
func conflict(err error) error {
	var api *jetstream.APIError
	if errors.Is(err, jetstream.ErrKeyRevisionMismatch) || errors.As(err, &api) &&
		(api.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequence || api.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequenceConstant) {
		return ErrConflict
	}
	return err
}

// unsure marks an error that is not the server's answer: what it was asked may be done all the same.
func unsure(err error) error {
	var api *jetstream.APIError
	if err == nil || errors.Is(err, ErrExists) || errors.Is(err, ErrConflict) || errors.As(err, &api) {
		return err
	}
	return fmt.Errorf("%w: %w", ErrUnsure, err)
}
