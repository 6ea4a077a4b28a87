package agent

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"minato/agent/modem"
)

// register waits until the network has the modem.
func (r *round) register(ctx context.Context) error {
	var last *modem.Registration
	err := r.awaitRegistration(ctx, &last)
	var f *Failure
	if last != nil && errors.Is(err, context.DeadlineExceeded) && ctx.Err() != nil && !errors.As(err, &f) {
		return r.notRegistered(context.WithoutCancel(ctx), *last) // the time ended in the middle of a question
	}
	return err
}

// awaitRegistration asks until the modem is registered, and keeps its last answer.
func (r *round) awaitRegistration(ctx context.Context, last **modem.Registration) error {
	m := r.session.modem
	var denied time.Time
	for first := true; ; first = false {
		reg, err := m.Registration(ctx)
		if err != nil {
			return err
		}
		*last = &reg
		r.agent.update(func(s *Status) { s.setRegistration(reg) })
		if reg.Stat.Registered() {
			return nil
		}
		if err := r.simStays(ctx); err != nil {
			return err
		}
		if first {
			if _, err := r.radioOn(ctx); err != nil {
				return err
			}
			// In LTE the attach asks for the first context's APN: a wrong one there may be why.
			if err := m.DefineContext(ctx, r.agent.pdpContext()); err != nil && !modem.Refused(err) {
				return err
			}
		}
		switch {
		case reg.Stat != modem.RegistrationDenied:
			denied = time.Time{}
		case denied.IsZero():
			denied = time.Now()
		case time.Since(denied) >= r.agent.timing.denied:
			return r.notRegistered(ctx, reg)
		}
		if err := r.session.wait(ctx, r.agent.timing.poll); err != nil {
			if isRestart(context.Cause(ctx)) {
				return err
			}
			return r.notRegistered(context.WithoutCancel(ctx), reg)
		}
	}
}

// radioOn switches on a radio that is off, since such a modem never registers, and at +CFUN=0 mostly has no SIM either: the answer to a cure's
// +CFUN=1 was lost, another program left it so, or it starts so. A modem that does not tell is left as it is.
func (r *round) radioOn(ctx context.Context) (switched bool, err error) {
	f, err := r.session.modem.Functionality(ctx)
	switch {
	case isSilence(err), errors.Is(err, io.EOF):
		return false, err
	case err != nil, f == modem.FunctionalityFull:
		return false, nil
	}
	r.agent.log.Warn("the modem's radio is off; switching it on", "functionality", int(f))
	err = r.session.modem.SetFunctionality(ctx, modem.FunctionalityFull)
	if modem.Refused(err) {
		return false, nil
	}
	return err == nil, err
}

// notRegistered tells the weak signal from the network's no.
func (r *round) notRegistered(ctx context.Context, reg modem.Registration) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	f := fail(StateRegistered, fmt.Errorf("%s (%s)", reg.Stat, reg.Domain))
	if reg.Cause != 0 {
		f.Err = fmt.Errorf("%w, reject cause %d", f.Err, reg.Cause)
	}
	if reg.Stat == modem.RegistrationDenied {
		f.Class = ClassPerson // asking more often changes no network's mind
		f.Hint = "the network refuses this SIM: check its contract and whether it is suspended, the networks and devices that it is for, and roaming"
	}
	sig, err := r.session.modem.Signal(ctx)
	if err == nil {
		r.agent.update(func(s *Status) { s.Signal = &sig })
		f.Err = fmt.Errorf("%w; signal: %s", f.Err, sig)
		if sig.Weak() && reg.Stat != modem.RegistrationDenied {
			f.Code, f.Hint = WeakSignal, weakHint
		}
	}
	return f
}
