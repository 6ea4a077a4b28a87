package dce

import (
	"cmp"
	"errors"
)

const (
	pinTries = 3  // TS 31.101 leaves them to the card; all cards have these
	pukTries = 10 //
)

var errPIN = errors.New("SIM: PIN: 4 to 8 digits are allowed")

func pinLike(s string) bool { return len(s) >= 4 && len(s) <= 8 && digits(s) }

// try compares what was given with what the card has, and counts what is wrong; blocked is what the last try costs.
func try(given, want string, bad *int, tries, blocked int) result {
	if given == want {
		*bad = 0
		return resultOK
	}
	if *bad++; *bad >= tries {
		return cmeError(blocked)
	}
	return cmeError(cmeWrongPassword)
}

// verify tries a PIN. One that the last try blocks is enabled thereby, as ETSI TS 102 221 section 11.1.12 lets a card do: else its files
// would stay open to whoever has used up the tries of a lock that is off.
func (s *simState) verify(pin string) result {
	r := try(pin, s.card.PIN, &s.badPIN, pinTries, cmeSIMPUKRequired)
	s.unlocked = s.unlocked || r.ok()
	s.enabled = s.enabled || s.badPIN >= pinTries
	return r
}

// enablePIN is ENABLE and DISABLE PIN (sections 11.1.12 and 11.1.11): the card takes its own PIN alone, whether the lock is on or off, and
// keeps it. An enabled PIN is not enabled again; nothing is tried.
func (s *simState) enablePIN(on bool, pin string) result {
	if s.enabled == on {
		return cmeError(cmeNotAllowed)
	}
	r := s.verify(pin)
	if r.ok() {
		s.enabled = on
	}
	return r
}

// changePIN is CHANGE PIN (section 11.1.10), which a card refuses while the PIN is disabled.
func (s *simState) changePIN(from, to string) result {
	if !s.enabled {
		return cmeError(cmeNotAllowed)
	}
	r := s.verify(from)
	if r.ok() {
		s.card.PIN = to
	}
	return r
}

// unblock tries a PUK and sets a new PIN, which is enabled (section 11.1.13).
func (s *simState) unblock(puk, pin string) result {
	r := try(puk, cmp.Or(s.card.PUK, defaultPUK), &s.badPUK, pukTries, cmeSIMFailure)
	if r.ok() {
		s.badPIN, s.enabled, s.unlocked, s.card.PIN = 0, true, true, pin
	}
	return r
}
