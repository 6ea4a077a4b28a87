package agent

import (
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"minato/agent/atomicfile"
	"minato/agent/modem"
)

// stateName is the file in Config.StateDir.
const stateName = "agent-state.json"

// A stateFile is what must outlive the process: when the modem was restarted, which PINs the SIM refused, and which probe was answered.
// Without a directory it lasts as long as the process. A file that cannot be read is put aside, not trusted and not lost.
type stateFile struct {
	dir string // "": none

	mu   sync.Mutex // guards what follows
	data stateData
}

var _ modem.PINMemory = (*stateFile)(nil)

type stateData struct {
	Resets resetRecord                `json:"resets"`
	Salt   string                     `json:"salt,omitempty"`
	PINs   map[string]modem.PINRecord `json:"pins,omitempty"`  // by pinKey
	Probe  string                     `json:"probe,omitempty"` // the last that was answered, and its APN
}

// resetRecord is of the restarts since the last stable link.
type resetRecord struct {
	Count     int       `json:"count,omitempty"`
	Last      time.Time `json:"last,omitzero"`
	NotBefore time.Time `json:"not_before,omitzero"` // the next one

	Unfinished bool `json:"unfinished,omitempty"` // a power cycle began, and nobody saw its end: the modem may be without power
}

// maxPINs bounds the file: a device sees few SIMs.
const maxPINs = 64

// openState reads the file. The error is for the log: the state works without.
func openState(dir string) (*stateFile, error) {
	s := &stateFile{dir: dir}
	if dir == "" {
		return s, nil
	}
	path := filepath.Join(dir, stateName)
	b, err := readFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	if err == nil {
		err = json.Unmarshal(b, &s.data)
		if err != nil || len(s.data.PINs) > maxPINs || s.data.Resets.Count < 0 {
			err = errors.Join(errors.New("not a state file"), err)
			s.data = stateData{}
			err = errors.Join(err, os.Rename(path, path+".bad"))
		}
	}
	if err != nil {
		return s, fmt.Errorf("reading the state file %q: %w", path, err)
	}
	return s, nil
}

// saveLocked writes the file so that at any moment the whole old one or the whole new one is there, even when the power fails.
func (s *stateFile) saveLocked() error {
	if s.dir == "" {
		return nil
	}
	b, err := json.MarshalIndent(s.data, "", "  ")
	if err != nil {
		return err
	}
	if err := atomicfile.Write(filepath.Join(s.dir, stateName), append(b, '\n'), 0o600); err != nil {
		return fmt.Errorf("writing the state file: %w", err)
	}
	return nil
}

// mayReset tells whether the modem may be restarted now. interval is for a clock that went back, as that of a Raspberry Pi
// does, which has no battery: the time of the last restart then tells nothing, and counts as now.
func (s *stateFile) mayReset(now time.Time, interval func(n int) time.Duration) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := &s.data.Resets
	if now.Before(r.Last) {
		r.Last, r.NotBefore = now, now.Add(interval(max(r.Count, 1)))
		s.saveLocked() // in memory it holds in any case
	}
	return r.Unfinished || !now.Before(r.NotBefore)
}

// addReset notes a restart.
func (s *stateFile) addReset(now time.Time, interval func(n int) time.Duration) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.addLocked(now, interval, false)
}

// beginPowerCycle notes a restart that has yet to end. Where the last one did not, its repetition has to wait for nothing, and the one after
// that waits in any case: a command may always take the whole device down.
func (s *stateFile) beginPowerCycle(now time.Time, interval func(n int) time.Duration) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.addLocked(now, interval, !s.data.Resets.Unfinished)
}

func (s *stateFile) addLocked(now time.Time, interval func(n int) time.Duration, unfinished bool) error {
	r := &s.data.Resets
	r.Count++
	r.Last, r.NotBefore, r.Unfinished = now, now.Add(interval(r.Count)), unfinished
	return s.saveLocked()
}

// endPowerCycle notes the end, however it was.
func (s *stateFile) endPowerCycle() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.data.Resets.Unfinished {
		return nil
	}
	s.data.Resets.Unfinished = false
	return s.saveLocked()
}

// clearResets forgets the restarts' count after a stable link. The interval of a first restart stays.
func (s *stateFile) clearResets(interval func(n int) time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := &s.data.Resets
	if r.Count == 0 {
		return
	}
	r.Count, r.NotBefore, r.Unfinished = 0, r.Last.Add(interval(1)), false
	s.saveLocked() // the old count would only make the agent more patient
}

func (s *stateFile) resets() resetRecord {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.data.Resets
}

// restoreResets takes back what was noted of a restart that was none.
func (s *stateFile) restoreResets(r resetRecord) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.data.Resets = r
	return s.saveLocked()
}

// noteAnswer remembers that a probe was answered. It writes where that is news.
func (s *stateFile) noteAnswer(probe string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.data.Probe != probe {
		s.data.Probe = probe
		s.saveLocked() // in memory it holds in any case
	}
}

func (s *stateFile) isAnswered(probe string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.data.Probe == probe
}

// pinRounds makes a PIN's hash slow to try out: 50 ms on the smallest device, for each of ten thousand PINs.
const pinRounds = 20000

// pinKeyLocked is the name of a SIM's PIN in the file, which says neither.
func (s *stateFile) pinKeyLocked(iccid, pin string) (string, error) {
	if s.data.Salt == "" {
		salt := make([]byte, 16)
		rand.Read(salt)
		s.data.Salt = hex.EncodeToString(salt)
	}
	key, err := pbkdf2.Key(sha256.New, pin, []byte(s.data.Salt+iccid), pinRounds, 16)
	return hex.EncodeToString(key), err
}

// RecallPIN implements modem.PINMemory.
func (s *stateFile) RecallPIN(iccid, pin string) (modem.PINRecord, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.data.PINs) == 0 {
		return modem.PINRecord{}, false
	}
	key, err := s.pinKeyLocked(iccid, pin)
	r, ok := s.data.PINs[key]
	return r, ok && err == nil
}

// RememberPIN implements modem.PINMemory.
func (s *stateFile) RememberPIN(iccid, pin string, r modem.PINRecord) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	key, err := s.pinKeyLocked(iccid, pin)
	if err != nil {
		return err
	}
	if s.data.PINs == nil {
		s.data.PINs = map[string]modem.PINRecord{}
	}
	if _, known := s.data.PINs[key]; !known && len(s.data.PINs) >= maxPINs {
		return fmt.Errorf("%d PINs are remembered already: remove %q", maxPINs, filepath.Join(s.dir, stateName))
	}
	s.data.PINs[key] = r
	return s.saveLocked()
}

// ForgetPIN implements modem.PINMemory.
func (s *stateFile) ForgetPIN(iccid, pin string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	key, err := s.pinKeyLocked(iccid, pin)
	if err != nil {
		return err
	}
	delete(s.data.PINs, key)
	return s.saveLocked()
}
