package dce

import (
	"cmp"
	"fmt"
	"strings"
)

// SIMCard is the subscriber's card.
type SIMCard struct {
	IMSI, ICCID, MSISDN string
	Card
}

// Card is what the card alone knows of a SIM, and the network does not. The zero value is a card without a lock.
type Card struct {
	PIN      string // 4 to 8 digits; "": the lock is off, and 0000 is what puts it on
	PUK      string // 8 digits; "": 12345678
	PIN2     string // 4 to 8 digits; "": 1234
	PUK2     string // 8 digits; "": 12345678
	SPN      string // name of the service provider, up to 16 characters; "": none
	DataOnly bool   // a subscription without circuit-switched services: +CREG tells of a refusal while the rest is registered
}

const (
	defaultPIN  = "0000" // what NTT DOCOMO's cards come with
	defaultPIN2 = "1234"
	defaultPUK  = "12345678"
)

func (c *SIMCard) validate() error {
	if len(c.IMSI) < 6 || len(c.IMSI) > 15 || !digits(c.IMSI) {
		return fmt.Errorf("SIM: IMSI %q: 6 to 15 digits are allowed (TS 23.003)", c.IMSI)
	}
	for _, pin := range []struct{ name, value string }{{"PIN", c.PIN}, {"PIN2", c.PIN2}} {
		if pin.value != "" && !pinLike(pin.value) {
			return fmt.Errorf("SIM %s: %s: 4 to 8 digits are allowed", c.IMSI, pin.name)
		}
	}
	for _, puk := range []struct{ name, value string }{{"PUK", c.PUK}, {"PUK2", c.PUK2}} {
		if puk.value != "" && (len(puk.value) != 8 || !digits(puk.value)) {
			return fmt.Errorf("SIM %s: %s: 8 digits are allowed", c.IMSI, puk.name)
		}
	}
	if !sayable(c.SPN) {
		return fmt.Errorf("SIM %s: SPN %q: up to %d printable ASCII characters that are in the GSM alphabet are allowed, and no quotation mark", c.IMSI, c.SPN, nameOctets)
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
	enabled  bool // the PIN is asked for: the lock is on. The card has it, card.PIN, either way
	unlocked bool
	badPIN   int // wrong tries since the last good one
	badPUK   int
	second   secondPIN
	unread   bool       // the boot has not come to it yet
	busy     []*SIMBusy // by faults; the first one answers

	files    map[int][]byte // written to
	selected int            // by +CSIM
	answer   []byte         // that GET RESPONSE will give
}

// newSIMState is a card that was never used.
func newSIMState(card SIMCard) simState {
	s := simState{card: card, inserted: true, enabled: card.PIN != ""}
	s.card.PIN = cmp.Or(card.PIN, defaultPIN)
	return s
}

// powerUp begins a card session: a PIN that is enabled is asked for again.
func (s *simState) powerUp() { s.unlocked = !s.enabled }

// status is the value of +CPIN.
func (s *simState) status() string {
	switch {
	case !s.inserted:
		return "NOT INSERTED"
	case s.unread || len(s.busy) > 0:
		return "NOT READY"
	case s.ready():
		return "READY"
	case s.badPIN >= pinTries:
		return "SIM PUK"
	}
	return "SIM PIN"
}

func (s *simState) ready() bool {
	return s.inserted && s.unlocked && s.badPIN < pinTries && !s.unread && len(s.busy) == 0
}

// check is the refusal that a command gets which needs the card's files.
func (s *simState) check() (result, bool) {
	switch {
	case !s.inserted:
		return cmeError(cmeSIMNotInserted), false
	case s.unread || len(s.busy) > 0:
		return cmeError(cmeSIMBusy), false
	case s.badPUK >= pukTries:
		return cmeError(cmeSIMFailure), false
	case s.badPIN >= pinTries:
		return cmeError(cmeSIMPUKRequired), false
	case !s.unlocked:
		return cmeError(cmeSIMPINRequired), false
	}
	return resultOK, true
}

// SetSIMInserted takes the card out or puts it in. Without a card the network detaches the modem.
func (m *Modem) SetSIMInserted(in bool) {
	m.mu.Lock()
	changed := m.sim.inserted != in
	m.sim.inserted = in
	m.sim.powerUp()
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
	if !pinLike(pin) {
		return errPIN
	}
	m.setPIN(pin, true)
	m.detach("the SIM is locked", true)
	return nil
}

// UnlockSIM disables the card's PIN.
func (m *Modem) UnlockSIM() {
	m.mu.Lock()
	pin := m.sim.card.PIN
	m.mu.Unlock()
	m.setPIN(pin, false)
	m.poke()
}

func (m *Modem) setPIN(pin string, enabled bool) {
	m.mu.Lock()
	m.sim.card.PIN, m.sim.enabled = pin, enabled
	m.sim.badPIN, m.sim.badPUK = 0, 0
	m.sim.powerUp()
	m.mu.Unlock()
	m.unsolicited(m.fill("+CPIN: {cpin}"))
}

func (m *Modem) subscriber() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.sim.card.IMSI
}
