package modem

import (
	"errors"
	"sync"
)

// PINRecord is what is remembered of a PIN that was entered into a SIM.
type PINRecord struct {
	Refused bool // by the SIM; otherwise it was about to be entered, and the answer is not known
	Tries   int  // that were left before
}

// A PINMemory keeps PINRecords for longer than the process lives. It is called with the PIN in the clear, and must not keep it so.
type PINMemory interface {
	RecallPIN(iccid, pin string) (PINRecord, bool)
	RememberPIN(iccid, pin string, r PINRecord) error
	ForgetPIN(iccid, pin string) error
}

// A PINGuard remembers the PINs that SIMs refused, so that no retry of anything enters one again. One is shared by all rounds of a
// process.
type PINGuard struct{ memory PINMemory }

// NewPINGuard makes a guard. Without a memory it lasts as long as the process.
func NewPINGuard(memory PINMemory) *PINGuard {
	if memory == nil {
		memory = &shortMemory{records: map[[2]string]PINRecord{}}
	}
	return &PINGuard{memory}
}

// fullTries is the counter of a SIM whose PIN was right the last time (ETSI TS 102 221 leaves it to the issuer; all use three).
const fullTries = 3

// allow tells whether the PIN may be entered into a SIM that has tries left, and notes that it is about to be. A record without an
// answer is of a process that ended in between: the counter tells whether the PIN was tried.
func (g *PINGuard) allow(iccid, pin string, tries int) error {
	if r, known := g.memory.RecallPIN(iccid, pin); known && !r.Refused && tries < r.Tries {
		g.memory.RememberPIN(iccid, pin, PINRecord{Refused: true, Tries: tries})
		return ErrPINKnownBad
	}
	if tries <= 1 {
		return ErrPINLastTry
	}
	if err := g.memory.RememberPIN(iccid, pin, PINRecord{Tries: tries}); err != nil && tries < fullTries {
		// With the full count nothing was spent yet, whatever was forgotten; below it this PIN may be the one that was wrong.
		return errors.Join(ErrPINUnsaved, err)
	}
	return nil
}

// refused tells whether the SIM is known to refuse the PIN.
func (g *PINGuard) refused(iccid, pin string) bool {
	r, known := g.memory.RecallPIN(iccid, pin)
	return known && r.Refused
}

// shortMemory lasts as long as the process.
type shortMemory struct {
	mu      sync.Mutex
	records map[[2]string]PINRecord
}

func (s *shortMemory) RecallPIN(iccid, pin string) (PINRecord, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r, ok := s.records[[2]string{iccid, pin}]
	return r, ok
}

func (s *shortMemory) RememberPIN(iccid, pin string, r PINRecord) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.records[[2]string{iccid, pin}] = r
	return nil
}

func (s *shortMemory) ForgetPIN(iccid, pin string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.records, [2]string{iccid, pin})
	return nil
}
