package modem

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"minato/agent/atline"
)

// SIMState is what the SIM waits for.
type SIMState int

// States of the SIM (27.007, 8.3).
const (
	SIMUnknown SIMState = iota
	SIMReady
	SIMPINRequired
	SIMPUKRequired
	SIMAbsent
	SIMBusy   // starts up: ask again
	SIMFailed // does not answer the modem as a card should
	SIMWrong  // is not one that the modem takes
	SIMLocked // to another network or device: +CPIN names the code
	SIMUntold // +CPIN? was answered, and not with +CPIN: the answer is another command's
)

var simStates = map[SIMState]string{
	SIMUnknown: "unknown", SIMReady: "ready", SIMPINRequired: "PIN required", SIMPUKRequired: "PUK required", SIMAbsent: "absent",
	SIMBusy: "starting", SIMFailed: "failure", SIMWrong: "wrong", SIMLocked: "locked",
	SIMUntold: "not told",
}

func (s SIMState) String() string {
	if n, ok := simStates[s]; ok {
		return n
	}
	return fmt.Sprintf("SIM state %d", int(s))
}

// Why a PIN was not entered, or not taken.
var (
	ErrPINRefused   = errors.New("the SIM refuses the PIN")
	ErrPINKnownBad  = errors.New("the SIM has refused this PIN before")
	ErrPINLastTry   = errors.New("the PIN has one try left, which is never used")
	errNotPIN       = errors.New("a PIN has 4 to 8 digits")
	ErrPINUncounted = errors.New("the modem does not tell how many tries the PIN has left")
	ErrPINUnsaved   = errors.New("a refusal could not be remembered across a restart")
)

// SIM reads the SIM's state.
func (m *Modem) SIM(ctx context.Context) (SIMState, error) {
	v, err := m.value(ctx, "+CPIN?", "+CPIN")
	if err == nil {
		return parseCPIN(v), nil
	}
	if code, ok := CMECode(err); ok {
		if s := simOfCME(code); s != SIMUnknown {
			return s, nil
		}
	}
	switch {
	case Refused(err):
		return SIMUnknown, nil
	case errors.Is(err, errNoLine):
		return SIMUntold, nil
	}
	return SIMUnknown, fmt.Errorf("reading the state of the SIM: %w", err)
}

func parseCPIN(v string) SIMState {
	switch v = strings.ToUpper(unquote(v)); {
	case v == "READY":
		return SIMReady
	case v == "SIM PIN":
		return SIMPINRequired
	case v == "SIM PUK":
		return SIMPUKRequired
	case v == "NOT READY":
		return SIMBusy
	case v == "NOT INSERTED":
		return SIMAbsent
	case strings.HasSuffix(v, "PIN"), strings.HasSuffix(v, "PUK"): // PH-NET PIN, PH-SIM PIN ...
		return SIMLocked
	}
	return SIMUnknown
}

// simOfCME reads the state out of an error code (27.007, 9.2.1).
func simOfCME(code int) SIMState {
	switch code {
	case 10:
		return SIMAbsent
	case 11:
		return SIMPINRequired
	case 12:
		return SIMPUKRequired
	case 13:
		return SIMFailed
	case 14:
		return SIMBusy
	case 15:
		return SIMWrong
	}
	return SIMUnknown
}

// EnterPIN unlocks the SIM. It never enters a PIN that this SIM refused, and never uses the last try: a SIM that asks for its PUK
// is a visit to the device. tries is what is left, -1 where it is not known.
func (m *Modem) EnterPIN(ctx context.Context, pin string) (tries int, err error) {
	if len(pin) < 4 || len(pin) > 8 || !digits(pin) {
		return -1, fmt.Errorf("entering the PIN: %w", errNotPIN)
	}
	m.mu.Lock()
	iccid := m.iccid
	m.mu.Unlock()
	if m.guard.refused(iccid, pin) {
		tries, _ = m.PINTries(ctx)
		return tries, fmt.Errorf("entering the PIN: %w", ErrPINKnownBad)
	}
	if tries, err = m.PINTries(ctx); err != nil {
		return -1, fmt.Errorf("entering the PIN: %w", err)
	}
	if err := m.guard.allow(iccid, pin, tries); err != nil {
		return tries, fmt.Errorf("entering the PIN: %w", err)
	}
	_, err = m.command(ctx, `+CPIN="`+pin+`"`)
	switch {
	case err == nil:
		m.guard.memory.ForgetPIN(iccid, pin)
		return tries, nil
	case !Refused(err):
		return -1, fmt.Errorf("entering the PIN: %w", err)
	}
	left, cerr := m.PINTries(ctx)
	if code, ok := CMECode(err); cerr == nil && left >= tries && ok && code != cmeIncorrectPassword {
		m.guard.memory.ForgetPIN(iccid, pin) // refused for another reason: nothing was spent
		return left, fmt.Errorf("entering the PIN: %w", err)
	}
	// Any other refusal counts: a modem with +CMEE=0 says only ERROR to a wrong PIN.
	if cerr != nil {
		left = tries - 1
	}
	m.guard.memory.RememberPIN(iccid, pin, PINRecord{Refused: true, Tries: left})
	return left, fmt.Errorf("entering the PIN: %w: %w", ErrPINRefused, err)
}

// cmeIncorrectPassword is +CME ERROR of a wrong PIN (27.007, 9.2.1).
const cmeIncorrectPassword = 16

// PINTries reads how many tries the PIN has left. ErrPINUncounted: the modem has no command for it that we know.
func (m *Modem) PINTries(ctx context.Context) (int, error) {
	for _, r := range m.vendor().Retries {
		info, err := m.command(ctx, r.cmd)
		if err != nil && !Refused(err) {
			return -1, err
		}
		for _, line := range info {
			if n, err := r.parse(line); err == nil {
				return n, nil
			}
		}
	}
	return -1, ErrPINUncounted
}

// CMECode is the number of a +CME ERROR, whether the modem wrote the number or the text.
func CMECode(err error) (int, bool) {
	var cme atline.CMEError
	if !errors.As(err, &cme) {
		return 0, false
	}
	s := strings.TrimSpace(string(cme))
	if n, err := number("the code", s, 0, 65535); err == nil {
		return n, true
	}
	n, ok := cmeTexts[strings.ToLower(s)]
	return n, ok
}

// cmeTexts are the texts of +CMEE=2 that we act on (27.007, 9.2.1).
var cmeTexts = map[string]int{
	"operation not allowed":        3,
	"sim not inserted":             10,
	"sim pin required":             11,
	"sim puk required":             12,
	"sim failure":                  13,
	"sim busy":                     14,
	"sim wrong":                    15,
	"incorrect password":           16,
	"no network service":           30,
	"unknown":                      100,
	"service option not supported": 132,
	"requested service option not subscribed": 133,
	"missing or unknown apn":                  201,
	"pdp authentication failure":              149,
	"user authentication failed":              149,
}
