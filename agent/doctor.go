package agent

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"minato/agent/modem"
)

// Check is one thing that doctor looked at. A check that failed explains those below it, which are then not made.
type Check struct {
	Name   string  `json:"name"`
	OK     bool    `json:"ok"`
	Detail string  `json:"detail,omitempty"`
	Code   Code    `json:"code,omitempty"`
	Hint   string  `json:"hint,omitempty"`
	Checks []Check `json:"checks,omitempty"`
}

// Passed tells whether the check and all below it are well.
func (c Check) Passed() bool {
	for _, sub := range c.Checks {
		if !sub.Passed() {
			return false
		}
	}
	return c.OK
}

// Diagnose looks at the modem itself; no agent may be running. It changes nothing that lasts, and enters no PIN.
func Diagnose(ctx context.Context, cfg Config) Check {
	cfg.setDefaults()
	top := Check{Name: "port " + cfg.Modem.Port}
	cfg.Modem.PPPPort = "" // the AT port knows all that is asked here
	s, err := openSession(cfg.Modem, cfg.Network.CID, modem.NewPINGuard(nil), slog.New(slog.DiscardHandler))
	if err != nil {
		return top.failed(fail(StatePort, err))
	}
	defer s.close()
	top.OK, top.Detail = true, "opened"
	top.Checks = []Check{diagnoseModem(ctx, s)}
	return top
}

func diagnoseModem(ctx context.Context, s *session) Check {
	m := s.modem
	c := Check{Name: "modem"}
	ctx, cancel := context.WithTimeout(ctx, defaultTiming().deadlines[StateIdentify])
	defer cancel()
	id, err := s.identify(ctx, defaultTiming().probe)
	if err != nil {
		return c.failed(fail(StateIdentify, err))
	}
	c.OK, c.Detail = true, fmt.Sprintf("%s %s, %s, IMEI %s", id.Manufacturer, id.Model, id.Revision, id.IMEI)
	c.Checks = []Check{diagnoseSIM(ctx, m), diagnoseSignal(ctx, m)}
	return c
}

func diagnoseSIM(ctx context.Context, m *modem.Modem) Check {
	c := Check{Name: "SIM"}
	state, err := m.SIM(ctx)
	if err != nil {
		return c.failed(fail(StateSIM, err))
	}
	if state != modem.SIMReady {
		f := simFailure(state)
		if tries, err := m.PINTries(ctx); err == nil && state == modem.SIMPINRequired {
			f.Err = fmt.Errorf("%w; %d tries left", f.Err, tries)
		}
		return c.failed(f)
	}
	c.OK, c.Detail = true, state.String()
	if imsi, err := m.IMSI(ctx); err == nil {
		c.Detail += ", IMSI " + imsi
	}
	if iccid, err := m.ICCID(ctx); err == nil {
		c.Detail += ", ICCID " + iccid
	}
	c.Checks = []Check{diagnoseRegistration(ctx, m)}
	return c
}

func diagnoseSignal(ctx context.Context, m *modem.Modem) Check {
	c := Check{Name: "signal"}
	sig, err := m.Signal(ctx)
	if err != nil {
		return c.failed(&Failure{Code: WeakSignal, Err: err})
	}
	c.OK, c.Detail = !sig.Weak(), sig.String()
	if sig.Weak() {
		c.Code, c.Hint = WeakSignal, weakHint
	}
	return c
}

func diagnoseRegistration(ctx context.Context, m *modem.Modem) Check {
	c := Check{Name: "registration"}
	reg, err := m.Registration(ctx)
	if err == nil && !reg.Stat.Registered() {
		err = fmt.Errorf("%s (%s)", reg.Stat, reg.Domain)
	}
	if err != nil {
		return c.failed(fail(StateRegistered, err))
	}
	c.OK, c.Detail = true, reg.Stat.String()
	if op, err := m.Operator(ctx); err == nil && op.Name != "" {
		c.Detail += ", " + op.Name
	}
	if reg.AcT >= 0 {
		c.Detail += ", " + reg.AcT.String()
	}
	c.Checks = []Check{diagnoseContext(ctx, m)}
	return c
}

func diagnoseContext(ctx context.Context, m *modem.Modem) Check {
	c := Check{Name: "context"}
	contexts, err := m.Contexts(ctx)
	if err == nil && len(contexts) == 0 {
		err = errors.New("none is defined")
	}
	if err != nil {
		return c.failed(fail(StateContext, err))
	}
	c.OK = true
	for i, p := range contexts {
		if i > 0 {
			c.Detail += "; "
		}
		c.Detail += fmt.Sprintf("%d %s %s", p.CID, p.Type, p.APN)
	}
	return c
}

func (c Check) failed(f *Failure) Check {
	c.OK, c.Code, c.Detail, c.Hint = false, f.Code, f.Err.Error(), f.Hint
	return c
}

// Checks makes the same tree of a running agent's status.
func (s Status) Checks() Check {
	top := Check{Name: "agent", OK: s.State == StateOnline, Detail: fmt.Sprintf("%s since %s", s.State, s.Since.Format(time.DateTime))}
	if s.Failure != nil {
		top.Code, top.Hint = s.Failure.Code, s.Failure.Hint
		top.Detail += ": " + s.Failure.Message
	}
	add := func(name, detail string) {
		if detail != "" {
			top.Checks = append(top.Checks, Check{Name: name, OK: true, Detail: detail})
		}
	}
	if s.Modem != nil {
		add("modem", s.Modem.Manufacturer+" "+s.Modem.Model+", IMEI "+s.Modem.IMEI)
	}
	add("SIM", s.SIM)
	add("registration", s.Registration)
	if s.Signal != nil {
		add("signal", s.Signal.String())
	}
	if s.Address.IsValid() {
		add("address", s.Address.String())
	}
	for _, sv := range s.Services {
		c := Check{Name: fmt.Sprintf("service %s on port %d", sv.Name, sv.Port), OK: sv.Up, Detail: sv.Target}
		if !sv.Up {
			c.Code, c.Detail = ServiceDown, sv.Error
		}
		top.Checks = append(top.Checks, c)
	}
	return top
}
