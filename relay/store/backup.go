package store

import (
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"
)

// A backup is gzip over JSON lines: a header, then one record a line, then an end with their number, so that a backup that was cut off is
// told from a whole one. It holds what the store must not lose: mappings, keys, users, secrets (the private CA's key among them), files (the ACME
// account and its certificates), counters, the host keys of devices, tokens that were given back, and the audit logs, the oldest entries first.
const backupFormat = "minato-relay backup 1"

type backupRecord struct {
	Format  string        `json:"format,omitempty"` // the header
	Time    *time.Time    `json:"time,omitempty"`   // of the header
	Mapping *Mapping      `json:"mapping,omitempty"`
	Key     *Key          `json:"key,omitempty"`
	User    *User         `json:"user,omitempty"`
	Secret  *backupSecret `json:"secret,omitempty"`
	Counter *backupCount  `json:"counter,omitempty"`
	File    *backupSecret `json:"file,omitempty"`
	HostKey *backupSecret `json:"hostKey,omitempty"` // by its name in the bucket
	Token   string        `json:"token,omitempty"`   // id of one that was given back
	Entry   *Entry        `json:"entry,omitempty"`
	Call    *Call         `json:"call,omitempty"`
	End     *int          `json:"end,omitempty"` // how many records came before, without the header
}

type backupSecret struct {
	Name  string `json:"name"`
	Value []byte `json:"value"`
}

type backupCount struct {
	Name  string `json:"name"`
	Value int64  `json:"value"`
}

// Backup writes everything to w and returns the number of records.
func (s *Store) Backup(ctx context.Context, w io.Writer) (n int, err error) {
	zip := gzip.NewWriter(w)
	encoder := json.NewEncoder(zip)
	write := func(r backupRecord) error { n++; return encoder.Encode(r) }
	now := s.cfg.Now()
	if err := encoder.Encode(backupRecord{Format: backupFormat, Time: &now}); err != nil {
		return 0, fmt.Errorf("writing backup: %w", err)
	}
	for _, part := range []func(context.Context, func(backupRecord) error) error{s.backupState, s.backupEntries, s.backupCalls} {
		if err := part(ctx, write); err != nil {
			return n, fmt.Errorf("writing backup: %w", err)
		}
	}
	if err := errors.Join(encoder.Encode(backupRecord{End: &n}), zip.Close()); err != nil {
		return n, fmt.Errorf("writing backup: %w", err)
	}
	return n, nil
}

func (s *Store) backupState(ctx context.Context, write func(backupRecord) error) error {
	mappings, err := s.Mappings(ctx)
	if err != nil {
		return err
	}
	for _, m := range mappings {
		if err := write(backupRecord{Mapping: &m}); err != nil {
			return err
		}
	}
	keys, err := s.Keys(ctx)
	if err != nil {
		return err
	}
	for _, k := range keys {
		if err := write(backupRecord{Key: &k}); err != nil {
			return err
		}
	}
	users, err := s.Users(ctx)
	if err != nil {
		return err
	}
	for _, u := range users {
		if err := write(backupRecord{User: &u}); err != nil {
			return err
		}
	}
	secrets, err := s.secrets.entries(ctx)
	if err != nil {
		return err
	}
	for _, e := range secrets {
		if err := write(backupRecord{Secret: &backupSecret{e.Key(), e.Value()}}); err != nil {
			return err
		}
	}
	counters, err := s.counters.entries(ctx)
	if err != nil {
		return err
	}
	for _, e := range counters {
		value, err := s.Counter(ctx, e.Key())
		if err != nil {
			return err
		}
		if err := write(backupRecord{Counter: &backupCount{e.Key(), value}}); err != nil {
			return err
		}
	}
	files, err := s.Files(ctx, "")
	if err != nil {
		return err
	}
	for _, f := range files {
		content, _, err := s.ReadFile(ctx, f.Name)
		if err != nil {
			return err
		}
		if err := write(backupRecord{File: &backupSecret{f.Name, content}}); err != nil {
			return err
		}
	}
	hostKeys, err := s.hostKeys.entries(ctx)
	if err != nil {
		return err
	}
	for _, e := range hostKeys {
		if err := write(backupRecord{HostKey: &backupSecret{e.Key(), e.Value()}}); err != nil {
			return err
		}
	}
	tokens, err := s.tokens.entries(ctx)
	if err != nil {
		return err
	}
	for _, e := range tokens {
		if err := write(backupRecord{Token: e.Key()}); err != nil {
			return err
		}
	}
	return nil
}

// backupEntries reads each audit stream from its beginning. Restored, entries are in the order of each stream, and queries order the streams by time.
func (s *Store) backupEntries(ctx context.Context, write func(backupRecord) error) error {
	for _, as := range s.audit.streams() {
		info, err := as.stream.Info(ctx)
		if err != nil {
			return err
		}
		for seq := info.State.FirstSeq; info.State.Msgs > 0 && seq <= info.State.LastSeq; seq += slots {
			msgs, err := s.directGet(ctx, as.name, getRequest{Seq: seq, Batch: int(min(slots, info.State.LastSeq-seq+1))})
			if errors.Is(err, errNoMessages) {
				continue
			}
			if err != nil {
				return err
			}
			entries, err := decodeEntries(msgs)
			if err != nil {
				return err
			}
			slices.Reverse(entries)
			for _, e := range entries {
				if e.seq >= seq+slots {
					break // past a gap: it comes again in its own window
				}
				if err := write(backupRecord{Entry: &e.Entry}); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func (s *Store) backupCalls(ctx context.Context, write func(backupRecord) error) error {
	var all []Call
	for q := (CallQuery{Limit: maxLimit}); ; {
		list, more, err := s.Calls(ctx, q)
		if err != nil {
			return err
		}
		all = append(all, list...)
		if !more {
			break
		}
		q.Before = list[len(list)-1].Seq
	}
	for i := len(all) - 1; i >= 0; i-- {
		if err := write(backupRecord{Call: &all[i]}); err != nil {
			return err
		}
	}
	return nil
}

// longestToken is how long a token that was given back is remembered after a restore: its own end is not in the backup, and none lives longer.
const longestToken = 48 * time.Hour

// maxRecord bounds one line of a backup.
const maxRecord = 1 << 20

// Restore fills an empty store from a backup and returns the number of records. Mappings that have ended since are left out.
func (s *Store) Restore(ctx context.Context, r io.Reader) (n int, err error) {
	keys, err := s.Keys(ctx)
	if err == nil && len(keys) > 0 {
		err = errors.New("the store is not empty: restore into a new state folder")
	}
	if err == nil {
		n, err = s.restore(ctx, r)
	}
	if err != nil {
		return n, fmt.Errorf("restoring backup: %w", err)
	}
	return n, nil
}

func (s *Store) restore(ctx context.Context, r io.Reader) (int, error) {
	zip, err := gzip.NewReader(r)
	if err != nil {
		return 0, err
	}
	decoder := json.NewDecoder(zip)
	var header backupRecord
	if err := decoder.Decode(&header); err != nil || header.Format != backupFormat {
		return 0, fmt.Errorf("this is not a %q", backupFormat)
	}
	for n := 0; ; n++ {
		var record backupRecord
		before := decoder.InputOffset()
		if err := decoder.Decode(&record); err != nil {
			return n, fmt.Errorf("after %d records, the file is cut off or broken: %w", n, err)
		}
		if decoder.InputOffset()-before > maxRecord {
			return n, fmt.Errorf("record %d is longer than %d bytes", n+1, maxRecord)
		}
		if record.End != nil {
			if *record.End != n {
				return n, fmt.Errorf("%d records, but the end says %d", n, *record.End)
			}
			if _, err := io.Copy(io.Discard, zip); err != nil { // to the checksum
				return n, fmt.Errorf("after %d records, the file is cut off or broken: %w", n, err)
			}
			return n, s.audit.flush(ctx)
		}
		if err := s.restoreRecord(ctx, record); err != nil {
			return n, fmt.Errorf("record %d: %w", n+1, err)
		}
	}
}

func (s *Store) restoreRecord(ctx context.Context, r backupRecord) error {
	switch {
	case r.Mapping != nil:
		if r.Mapping.Expired(s.cfg.Now()) {
			return nil
		}
		_, err := s.CreateMapping(ctx, *r.Mapping)
		return err
	case r.Key != nil:
		return s.PutKey(ctx, *r.Key)
	case r.User != nil:
		return s.CreateUser(ctx, *r.User)
	case r.Secret != nil:
		_, err := s.secrets.Put(ctx, r.Secret.Name, r.Secret.Value)
		return err
	case r.File != nil:
		return s.PutFile(ctx, r.File.Name, r.File.Value)
	case r.HostKey != nil:
		_, err := s.hostKeys.Put(ctx, r.HostKey.Name, r.HostKey.Value)
		return err
	case r.Token != "":
		return s.EndToken(ctx, r.Token, longestToken)
	case r.Counter != nil:
		return s.Add(ctx, r.Counter.Name, r.Counter.Value)
	case r.Entry != nil:
		return s.audit.append(ctx, pendingEntry{entry: *r.Entry}, 0)
	case r.Call != nil:
		return s.AppendCall(ctx, *r.Call)
	}
	return errors.New("it is of no known kind")
}
