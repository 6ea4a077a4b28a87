package agent

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"minato/agent/atline"
	"minato/agent/modem"
	"minato/agent/ppp"
	"minato/agent/tty"
)

// Code is the stable name of a cause, the same in every output of the system.
type Code string

// The causes on the device's side.
const (
	NoModem       Code = "A24"
	SIM           Code = "A25"
	WeakSignal    Code = "A26"
	NotRegistered Code = "A27"
	NoContext     Code = "A28"
	PPPAuth       Code = "A29"
	NoAddress     Code = "A30"
	DeadLink      Code = "A31"
	ServiceDown   Code = "A32"
)

var codeNames = map[Code]string{
	NoModem: "no-modem", SIM: "sim", WeakSignal: "weak-signal", NotRegistered: "not-registered", NoContext: "no-context",
	PPPAuth: "ppp-auth", NoAddress: "no-address", DeadLink: "dead-link", ServiceDown: "service-down",
}

const (
	contextHint = "check network.apn and network.type against the SIM's contract"
	authHint    = "check network.user, network.password and network.auth"
	deafHint    = "the modem does not answer: restart it, and check that nothing else speaks to its port"
	weakHint    = "move the antenna or take a better one: outside, higher, away from metal"
)

// Failure is why a round ended: one line for people, with what to do.
type Failure struct {
	Code  Code
	State State
	Class Class
	Err   error
	Hint  string // what to do; "": nothing, it is tried again
}

func (f *Failure) Error() string {
	return fmt.Sprintf("%s %s: %v", f.Code, codeNames[f.Code], f.Err)
}

func (f *Failure) Unwrap() error { return f.Err }

// deaf tells that the modem answers nothing at all.
func (f *Failure) deaf() bool {
	return f.State == StateIdentify && isSilence(f.Err)
}

// fail gives an error of a state its code, unless it has one.
func fail(s State, err error) *Failure {
	var f *Failure
	if errors.As(err, &f) {
		return f
	}
	f = &Failure{State: s, Err: err}
	if isRestart(err) {
		f.Hint = restartHint
		if s < StateOnline {
			f.Code = NoModem
			return f
		}
	}
	if s < StatePPP && errors.Is(err, atline.ErrNoReply) || s == StateSIM && isSilence(err) {
		f.Code, f.Hint = NoModem, deafHint
		if s == StateIdentify {
			f.Class = ClassReset
		}
		return f
	}
	switch s {
	case StatePort:
		f.Code = NoModem
		var te *tty.Error
		if errors.As(err, &te) {
			f.Hint = te.Hint()
		}
		if errors.Is(err, tty.ErrPermission) || errors.Is(err, tty.ErrNotTTY) || errors.Is(err, tty.ErrBusy) {
			f.Class = ClassPerson
		}
	case StateIdentify:
		f.Code = NoModem
		f.Hint = "is it the modem's AT port? `minato-agent modems` lists the ports and what they are for"
		f.Class = ClassReset
	case StateSIM:
		f.Code = SIM
	case StateRegistered:
		f.Code = NotRegistered
		f.Hint = "check the antenna, the SIM's contract, and whether roaming is allowed"
	case StateContext, StateDial:
		f.Code = NoContext
		f.Hint = contextHint
	case StatePPP, StateIP:
		pppCode(f)
	case StateServices:
		f.Code = ServiceDown
	default:
		f.Code, f.Class = DeadLink, ClassRetry
	}
	return f
}

// pppCode tells what PPP's failures mean before an address was there.
func pppCode(f *Failure) {
	switch {
	case errors.Is(f.Err, ppp.ErrAuthRefused):
		f.Code, f.Hint, f.Class = PPPAuth, authHint, ClassPerson
	case errors.Is(f.Err, ppp.ErrDeadLink):
		f.Code = DeadLink
	default:
		f.Code, f.Hint = NoAddress, "the bearer was not ready: it is dialled again"
	}
}

// networkCauses are the numbers of 24.301 (9.9.4.4) that change a failure's code.
var networkCauses = map[int]Code{
	8:  NoContext, // operator determined barring
	27: NoContext, // missing or unknown APN
	29: PPPAuth,   // user authentication failed
	33: NoContext, // requested service option not subscribed
}

// causeCode gives a failure the code that the modem's extended error report tells of. +CEER is free text; modems write 24.301's
// names, its numbers, or both.
func causeCode(f *Failure, text string) {
	lower := strings.ToLower(text)
	if text == "" || strings.Contains(lower, "no cause") || strings.HasPrefix(lower, "normal") {
		return
	}
	code := Code("")
	if _, number, ok := strings.Cut(lower, "cause "); ok {
		end := strings.IndexFunc(number, func(r rune) bool { return r < '0' || r > '9' })
		if end < 0 {
			end = len(number)
		}
		if n, err := strconv.Atoi(number[:end]); err == nil {
			code = networkCauses[n]
		}
	}
	switch {
	case code != "":
	case strings.Contains(lower, "authentication"):
		code = PPPAuth
	case strings.Contains(lower, "apn"), strings.Contains(lower, "not subscribed"), strings.Contains(lower, "barring"):
		code = NoContext
	}
	switch code {
	case PPPAuth:
		f.Code, f.Hint, f.Class = code, authHint, ClassPerson
	case NoContext:
		f.Code, f.Hint, f.Class = code, contextHint, ClassPerson
	}
	f.Err = fmt.Errorf("the network says: %.120s (%w)", text, f.Err)
}

// simFailure says what the SIM needs.
func simFailure(state modem.SIMState) *Failure {
	f := &Failure{Code: SIM, State: StateSIM, Err: fmt.Errorf("SIM %s", state)}
	switch state {
	case modem.SIMAbsent:
		f.Err, f.Hint = errors.New("no SIM in the modem"), "insert the SIM, with the modem switched off, and check its seat"
	case modem.SIMBusy:
		f.Err, f.Hint = errors.New("the modem has not read its SIM yet"), "wait; if it lasts, seat the SIM anew, with the modem switched off, and check the modem's power supply"
	case modem.SIMUntold: // and so will the rest be, until the port is opened anew or the modem restarted
		f.Code, f.Err = NoModem, errors.New("the modem answers AT+CPIN? with what belongs to another command")
		f.Hint = "restart the modem, and check that nothing else speaks to its port"
	case modem.SIMFailed, modem.SIMWrong:
		f.Err, f.Hint = fmt.Errorf("the modem says: SIM %s", state), "clean the SIM and its contacts and seat it anew, with the modem switched off; if it comes back, check the modem's power supply"
	case modem.SIMPINRequired:
		f.Err, f.Hint, f.Class = errors.New("the SIM asks for its PIN"), "set modem.pin or modem.pin_file", ClassPerson
	case modem.SIMPUKRequired:
		f.Err, f.Hint, f.Class = errors.New("the SIM is blocked and asks for its PUK"), "unblock the SIM in a phone with the PUK of its contract", ClassPerson
	case modem.SIMLocked:
		f.Err, f.Hint, f.Class = errors.New("the modem is locked to another SIM or network"), "use the SIM that the modem was sold with, or have it unlocked", ClassPerson
	}
	return f
}

// pinFailure says why the PIN was not entered or not taken, and how many tries are left.
func pinFailure(err error, tries int) *Failure {
	f := &Failure{Code: SIM, State: StateSIM, Err: err, Class: ClassPerson}
	if tries >= 0 {
		f.Err = fmt.Errorf("%w; %d tries left", err, tries)
	}
	switch {
	case errors.Is(err, modem.ErrPINLastTry):
		f.Hint = "enter the right PIN once in a phone, which resets the counter, then correct modem.pin"
	case errors.Is(err, modem.ErrPINUncounted):
		f.Hint = "this modem does not count the tries, so the PIN is not risked: switch the SIM's PIN off in a phone"
	case errors.Is(err, modem.ErrPINRefused), errors.Is(err, modem.ErrPINKnownBad):
		f.Hint = "correct modem.pin and restart; the same PIN is not tried again"
	case errors.Is(err, modem.ErrPINUnsaved):
		f.Hint = "make state_dir writable, or correct modem.pin and switch the modem off and on"
	default:
		f.Class = ClassBackOff
	}
	return f
}
