package agent

import (
	"context"
	"errors"
	"time"

	"minato/agent/modem"
)

// sim waits for the SIM, and unlocks it. On a port that stayed open it is a look at one that was ready.
func (r *round) sim(ctx context.Context) error {
	var last *modem.SIMState
	err := r.awaitSIM(ctx, &last)
	var f *Failure
	if last != nil && errors.Is(err, context.DeadlineExceeded) && ctx.Err() != nil && !errors.As(err, &f) {
		return errors.Join(simFailure(*last), err) // the time ended in the middle of a question
	}
	return err
}

// awaitSIM asks until the SIM is ready. last is what it said when the next question was asked: nil, unless it
// said something that is waited for.
func (r *round) awaitSIM(ctx context.Context, last **modem.SIMState) error {
	m := r.session.modem
	if r.session.simReady {
		if state, err := m.SIM(ctx); err != nil || state == modem.SIMReady {
			return err
		}
		r.session.simReady = false
	}
	var iccid string
	woken := false       // the modem was at +CFUN=0: its SIM takes a moment
	var absent time.Time // since when the modem says that it has no SIM
	for first := true; ; {
		if iccid == "" {
			iccid, _ = m.ICCID(ctx) // many modems tell it before the PIN; the PIN's memory goes by it
		}
		state, err := m.SIM(ctx)
		if err != nil {
			return err
		}
		r.agent.update(func(s *Status) { s.SIM, s.ICCID = state.String(), iccid })
		*last = nil
		switch state {
		case modem.SIMReady:
			imsi, err := m.IMSI(ctx)
			if err != nil {
				return err
			}
			r.agent.update(func(s *Status) { s.IMSI = imsi })
			if err := m.EnableRegistrationURCs(ctx); err != nil {
				return err
			}
			r.session.simReady = true
			return nil
		case modem.SIMPINRequired:
			pin := r.agent.cfg.Modem.PIN
			if pin == "" {
				return simFailure(state)
			}
			if tries, err := m.EnterPIN(ctx, pin); err != nil {
				return pinFailure(err, tries)
			}
			continue // most are ready at once
		case modem.SIMPUKRequired, modem.SIMLocked:
			return simFailure(state)
		}
		if first {
			first = false
			if woken, err = r.radioOn(ctx); err != nil {
				return err
			}
		}
		switch {
		case state != modem.SIMAbsent:
			absent = time.Time{}
		case absent.IsZero():
			absent = time.Now()
		}
		if state == modem.SIMAbsent && !woken && time.Since(absent) >= r.agent.timing.absent {
			return simFailure(state)
		}
		if state != modem.SIMUnknown {
			*last = &state
		}
		if err := r.session.wait(ctx, r.agent.timing.poll); err != nil {
			return errors.Join(simFailure(state), err)
		}
	}
}

// simStays tells a modem that lost its SIM, or was locked by it, from one that lost the network: the next round sees to the SIM.
func (r *round) simStays(ctx context.Context) error {
	state, err := r.session.modem.SIM(ctx)
	if err != nil || state == modem.SIMReady || state == modem.SIMBusy || state == modem.SIMUnknown || state == modem.SIMUntold {
		return err
	}
	f := simFailure(state)
	f.State, f.Class = StateRegistered, ClassBackOff
	return f
}
