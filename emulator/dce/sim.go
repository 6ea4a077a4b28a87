package dce

import (
	"cmp"
	"fmt"
	"strings"
)

// SIMCard is the subscriber's card.
type SIMCard struct {
	IMSI, ICCID, MSISDN string
	PIN                 string // "": the lock is off
	PUK                 string // "": 12345678
	PIN2                string // "": 1234
	PUK2                string // "": 12345678
	SPN                 string // service provider name, up to 16 characters
	DataOnly            bool   // no circuit-switched services: +CREG tells of a refusal while the rest is registered
}

const (
	pinTries = 3  // TS 31.101 leaves them to the card; all cards have these
	pukTries = 10 //
)

const (
	defaultPIN2 = "1234"
	defaultPUK  = "12345678"
)

func (c *SIMCard) validate() error {
	if len(c.IMSI) < 6 || len(c.IMSI) > 15 || !digits(c.IMSI) {
		return fmt.Errorf("SIM: IMSI %q: 6 to 15 digits are allowed (TS 23.003)", c.IMSI)
	}
	if c.PIN != "" && (len(c.PIN) < 4 || len(c.PIN) > 8 || !digits(c.PIN)) {
		return fmt.Errorf("SIM %s: PIN: 4 to 8 digits are allowed", c.IMSI)
	}
	if number := strings.TrimPrefix(c.MSISDN, "+"); len(number) > entryDigits || !digits(number) {
		return fmt.Errorf("SIM %s: MSISDN %q: up to %d digits are allowed, with a plus sign before them or none", c.IMSI, c.MSISDN, entryDigits)
	}
	return nil
}

func digits(s string) bool {
	for _, r := range s {
		if r < '0' || r > '9' {
			return false
		}
	}
	return true
}

// simState is the card as the modem has it.
type simState struct {
	card     SIMCard
	inserted bool
	unlocked bool
	badPIN   int // wrong tries since the last good one
	badPUK   int
	second   secondPIN

	files    map[int][]byte // written to
	selected int            // by +CSIM
	answer   []byte         // that GET RESPONSE will give
}

// status is the value of +CPIN.
func (s *simState) status() string {
	switch {
	case !s.inserted:
		return "NOT INSERTED"
	case s.ready():
		return "READY"
	case s.badPIN >= pinTries:
		return "SIM PUK"
	}
	return "SIM PIN"
}

func (s *simState) ready() bool { return s.inserted && s.unlocked && s.badPIN < pinTries }

// check is the refusal that a command gets which needs the card's files.
func (s *simState) check() (result, bool) {
	switch {
	case !s.inserted:
		return cmeError(cmeSIMNotInserted), false
	case s.badPUK >= pukTries:
		return cmeError(cmeSIMFailure), false
	case s.badPIN >= pinTries:
		return cmeError(cmeSIMPUKRequired), false
	case !s.unlocked:
		return cmeError(cmeSIMPINRequired), false
	}
	return resultOK, true
}

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

// verify tries a PIN.
func (s *simState) verify(pin string) result {
	r := try(pin, s.card.PIN, &s.badPIN, pinTries, cmeSIMPUKRequired)
	s.unlocked = s.unlocked || r.ok()
	return r
}

// unblock tries a PUK and sets a new PIN.
func (s *simState) unblock(puk, pin string) result {
	r := try(puk, cmp.Or(s.card.PUK, defaultPUK), &s.badPUK, pukTries, cmeSIMFailure)
	if r.ok() {
		s.badPIN, s.unlocked, s.card.PIN = 0, true, pin
	}
	return r
}

// SetSIMInserted takes the card out or puts it in. Without a card the network detaches the modem.
func (m *Modem) SetSIMInserted(in bool) {
	m.mu.Lock()
	changed := m.sim.inserted != in
	m.sim.inserted = in
	m.sim.unlocked = m.sim.card.PIN == ""
	m.mu.Unlock()
	if !changed {
		return
	}
	if in {
		m.unsolicited(m.fill("+CPIN: {cpin}"))
		m.poke()
		return
	}
	m.unsolicited("+CPIN: NOT READY")
	m.detach("the SIM was taken out", true)
}

// LockSIM gives the card a PIN with all tries left, and closes the lock.
func (m *Modem) LockSIM(pin string) error {
	card := SIMCard{IMSI: m.subscriber(), PIN: pin}
	if err := card.validate(); err != nil {
		return err
	}
	m.setPIN(pin)
	m.detach("the SIM is locked", true)
	return nil
}

// UnlockSIM takes the PIN off the card.
func (m *Modem) UnlockSIM() {
	m.setPIN("")
	m.poke()
}

func (m *Modem) setPIN(pin string) {
	m.mu.Lock()
	m.sim.card.PIN = pin
	m.sim.unlocked, m.sim.badPIN, m.sim.badPUK = pin == "", 0, 0
	m.mu.Unlock()
	m.unsolicited(m.fill("+CPIN: {cpin}"))
}

func (m *Modem) subscriber() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.sim.card.IMSI
}
