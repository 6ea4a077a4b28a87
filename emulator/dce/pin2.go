package dce

import "cmp"

// secondPIN is the card's PIN2 (ETSI TS 102 221 section 9.5.1). It protects what its owner alone may change: the fixed dialling
// numbers, and whether only they may be called. It is always on.
type secondPIN struct {
	badPIN, badPUK int  // as of the PIN
	fixed          bool // fixed dialling is on
}

// verify2 tries PIN2.
func (s *simState) verify2(pin string) result {
	if s.second.badPIN >= pinTries {
		return cmeError(cmePUK2Required)
	}
	return try(pin, cmp.Or(s.card.PIN2, defaultPIN2), &s.second.badPIN, pinTries, cmePUK2Required)
}

// unblock2 tries PUK2 and sets a new PIN2.
func (s *simState) unblock2(puk, pin string) result {
	if s.second.badPUK >= pukTries {
		return cmeError(cmePUK2Required)
	}
	r := try(puk, cmp.Or(s.card.PUK2, defaultPUK), &s.second.badPUK, pukTries, cmePUK2Required)
	if r.ok() {
		s.second.badPIN, s.card.PIN2 = 0, pin
	}
	return r
}

// fixedDialling is +CLCK="FD",<mode>,<PIN2>. While it is on, short messages go to the fixed dialling numbers alone (TS 22.101, annex A),
// of which the card has none.
func (s *simState) fixedDialling(on bool, pin string) result {
	switch {
	case pin == "":
		return cmeError(cmePIN2Required)
	case !pinLike(pin):
		return cmeError(cmeIncorrectParams)
	}
	r := s.verify2(pin)
	if r.ok() {
		s.second.fixed = on
	}
	return r
}
