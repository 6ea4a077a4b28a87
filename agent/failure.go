package agent

import (
	"context"
	"errors"
	"fmt"
	"strings"

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

const weakHint = "move the antenna or take a better one: outside, higher, away from metal"

// Failure is why a round ended: one line for people, with what to do.
type Failure struct {
	Code     Code
	State    State
	Err      error
	Hint     string // what to do; "": nothing, it is tried again
	Hopeless bool   // a retry cannot help before something is changed: it waits the longest pause
}

func (f *Failure) Error() string {
	return fmt.Sprintf("%s %s: %v", f.Code, codeNames[f.Code], f.Err)
}

func (f *Failure) Unwrap() error { return f.Err }

// fail gives an error of a state its code, unless it has one.
func fail(s State, err error) *Failure {
	var f *Failure
	if errors.As(err, &f) {
		return f
	}
	f = &Failure{State: s, Err: err}
	switch s {
	case StatePort:
		f.Code = NoModem
		var te *tty.Error
		if errors.As(err, &te) {
			f.Hint = te.Hint()
		}
	case StateIdentify:
		f.Code = NoModem
		f.Hint = "is it the modem's AT port? `minato-agent modems` lists the ports and what they are for"
	case StateSIM:
		f.Code = SIM
	case StateRegistered:
		f.Code = NotRegistered
		f.Hint = "check the antenna, the SIM's contract, and whether roaming is allowed"
	case StateContext, StateDial:
		f.Code = NoContext
		f.Hint = "check network.apn and network.type against the SIM's contract"
	case StatePPP, StateIP:
		pppCode(f)
	case StateServices:
		f.Code = ServiceDown
	default:
		f.Code = DeadLink
	}
	if errors.Is(err, context.DeadlineExceeded) {
		f.Err = fmt.Errorf("no end within %v: %w", deadlines[s], err)
	}
	return f
}

// pppCode tells what PPP's failures mean before an address was there.
func pppCode(f *Failure) {
	switch {
	case errors.Is(f.Err, ppp.ErrAuthRefused):
		f.Code, f.Hint = PPPAuth, "check network.user, network.password and network.auth"
	case errors.Is(f.Err, ppp.ErrDeadLink):
		f.Code = DeadLink
	default:
		f.Code, f.Hint = NoAddress, "the bearer was not ready: it is dialled again"
	}
}

// causeCode makes of the modem's extended error report (+CEER, free text with 24.301's names or numbers) a better code than
// the failure has, where it says more.
func causeCode(f *Failure, text string) {
	lower := strings.ToLower(text)
	contains := func(words ...string) bool {
		for _, w := range words {
			if strings.Contains(lower, w) {
				return true
			}
		}
		return false
	}
	switch {
	case text == "" || contains("no cause", "normal"):
		return
	case contains("authentication", "cause 29"):
		f.Code, f.Hint = PPPAuth, "check network.user, network.password and network.auth"
	case contains("apn", "cause 27", "not subscribed", "cause 33", "barring", "cause 8"):
		f.Code, f.Hint = NoContext, "check network.apn and network.type against the SIM's contract"
	}
	f.Err = fmt.Errorf("%w; the network says: %.120s", f.Err, text)
}

// simFailure says what the SIM needs.
func simFailure(state modem.SIMState) *Failure {
	f := &Failure{Code: SIM, State: StateSIM, Err: fmt.Errorf("SIM %s", state)}
	switch state {
	case modem.SIMAbsent:
		f.Err, f.Hint = errors.New("no SIM in the modem"), "insert the SIM, with the modem switched off, and check its seat"
	case modem.SIMPINRequired:
		f.Err, f.Hint, f.Hopeless = errors.New("the SIM asks for its PIN"), "set modem.pin or modem.pin_file", true
	case modem.SIMPUKRequired:
		f.Err, f.Hint, f.Hopeless = errors.New("the SIM is blocked and asks for its PUK"), "unblock the SIM in a phone with the PUK of its contract", true
	case modem.SIMLocked:
		f.Err, f.Hint, f.Hopeless = errors.New("the modem is locked to another SIM or network"), "use the SIM that the modem was sold with, or have it unlocked", true
	}
	return f
}

// pinFailure says why the PIN was not entered or not taken, and how many tries are left.
func pinFailure(err error, tries int) *Failure {
	f := &Failure{Code: SIM, State: StateSIM, Err: err, Hopeless: true}
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
	default:
		f.Hopeless = !modem.Refused(err)
	}
	return f
}
