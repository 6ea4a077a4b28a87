package agent

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"strings"
	"time"

	"minato/agent/modem"
)

// Check is one thing that doctor looked at. One that failed explains those below it, which are then not made.
type Check struct {
	Name    string  `json:"name"`
	OK      bool    `json:"ok"`
	Skipped bool    `json:"skipped,omitempty"` // not made: what is above it comes first
	Detail  string  `json:"detail,omitempty"`
	Code    Code    `json:"code,omitempty"`
	Hint    string  `json:"hint,omitempty"`
	Checks  []Check `json:"checks,omitempty"`
}

// Passed tells whether the check and all below it are well.
func (c Check) Passed() bool {
	for _, sub := range c.Checks {
		if !sub.Passed() {
			return false
		}
	}
	return c.OK || c.Skipped
}

// Cause is the first check that failed, from the top; nil: none did.
func (c *Check) Cause() *Check {
	if !c.OK && !c.Skipped {
		return c
	}
	for i := range c.Checks {
		if cause := c.Checks[i].Cause(); cause != nil {
			return cause
		}
	}
	return nil
}

// A stage is one check of the way from the port into the closed network; each needs the one before it.
type stage struct {
	name   string
	code   Code  // of its failures
	until  State // it is passed when this state is
	detail func(*Status) string
}

var stages = []stage{
	{"port", NoModem, StatePort, func(s *Status) string { return s.Port }},
	{"modem", NoModem, StateIdentify, func(s *Status) string {
		if s.Modem == nil {
			return ""
		}
		return fmt.Sprintf("%s %s, %s, IMEI %s, driven as %s", s.Modem.Manufacturer, s.Modem.Model, s.Modem.Revision, s.Modem.IMEI, s.Modem.Profile)
	}},
	{"SIM", SIM, StateSIM, func(s *Status) string { return join(s.SIM, prefixed("IMSI ", s.IMSI), prefixed("ICCID ", s.ICCID)) }},
	{"signal", WeakSignal, StateSIM, func(s *Status) string {
		if s.Signal == nil {
			return "unknown"
		}
		return s.Signal.String()
	}},
	{"registration", NotRegistered, StateRegistered, func(s *Status) string { return join(s.Registration, s.AcT, s.Operator) }},
	{"context", NoContext, StateDial, func(s *Status) string { return s.APN }},
	{"authentication", PPPAuth, StatePPP, func(*Status) string { return "" }},
	{"address", NoAddress, StateIP, func(s *Status) string {
		if !s.Address.IsValid() {
			return ""
		}
		return s.Address.String()
	}},
	{"link", DeadLink, StateServices, func(s *Status) string {
		switch p := s.Probe; {
		case p == nil:
			return "not probed"
		case p.Missed > 0:
			return fmt.Sprintf("%s: %s, %d times", p.Target, p.Error, p.Missed)
		case p.Error != "":
			return p.Target + " does not answer while packets come in"
		default:
			return fmt.Sprintf("%s answers in %v", p.Target, time.Duration(p.RTT*float64(time.Second)).Round(time.Millisecond))
		}
	}},
}

func join(parts ...string) string {
	var out []string
	for _, p := range parts {
		if p != "" {
			out = append(out, p)
		}
	}
	return strings.Join(out, ", ")
}

func prefixed(prefix, s string) string {
	if s == "" {
		return ""
	}
	return prefix + s
}

// failedStage finds the stage that a failure belongs to.
func failedStage(f *FailureStatus) int {
	for i, st := range stages {
		if st.code == f.Code {
			if f.Code == NoModem && f.State >= StateIdentify && f.State < StateOnline {
				return i + 1
			}
			return i
		}
	}
	return len(stages) // of a service
}

// Checks makes the tree of a status: each check holds the next one, down to the services.
func (s Status) Checks() Check {
	failed, busy := len(stages), len(stages)
	if s.Failure != nil {
		failed = failedStage(s.Failure)
	} else if s.State != StateOnline {
		for busy = 0; busy < len(stages) && stages[busy].until < s.State; busy++ {
		}
	}
	end := min(failed, busy)
	var below []Check
	for _, sv := range s.Services {
		c := Check{Name: fmt.Sprintf("service %s on port %d", sv.Name, sv.Port), OK: sv.Up && end == len(stages), Skipped: end < len(stages), Detail: sv.Target}
		if !c.OK && !c.Skipped {
			c.Code, c.Detail, c.Hint = ServiceDown, join(sv.Target, sv.Error), serviceHint
		}
		below = append(below, c)
	}
	for i := len(stages) - 1; i >= 0; i-- {
		st := stages[i]
		c := Check{Name: st.name, OK: i < end, Skipped: i > end, Checks: below}
		switch {
		case i == failed:
			c.Code, c.Detail, c.Hint = s.Failure.Code, s.Failure.Message, s.Failure.Hint
			if s.Failure.Cure != "" { // of a running agent
				c.Detail += "; next step: " + s.Failure.Cure
			}
		case i == busy:
			c.Code, c.Detail = st.code, fmt.Sprintf("under way since %s", s.Since.Format(time.TimeOnly))
		case i < end:
			c.Detail = st.detail(&s)
			if st.code == WeakSignal && s.Signal != nil && s.Signal.Weak() {
				c.OK, c.Code, c.Hint = false, WeakSignal, weakHint
			}
			if st.code == DeadLink && s.Probe != nil && s.Probe.Missed > 0 {
				c.OK, c.Code, c.Hint = false, DeadLink, probeHint
			}
		}
		below = []Check{c}
	}
	return below[0]
}

const serviceHint = "start that program, or correct services: does it listen on this address?"

// CheckLocal adds to the tree what needs no modem: whether the services' local ports accept, and whether the forwards' ports are open. The
// forwards are those of a running agent's status; where none runs, nil, it is tried whether their ports could be opened.
func CheckLocal(ctx context.Context, top Check, cfg Config, forwards []GatewayStatus) Check {
	var found []Check
	for _, sv := range cfg.Services {
		t, err := parseTarget(sv.Target)
		if err != nil || t.address == "" {
			continue
		}
		c := Check{Name: fmt.Sprintf("local port of %s", cmp.Or(sv.Name, sv.Target)), OK: true, Detail: sv.Target + " accepts"}
		dctx, cancel := context.WithTimeout(ctx, localDialTimeout)
		conn, err := new(net.Dialer).DialContext(dctx, "tcp", t.address)
		cancel()
		if err == nil {
			conn.Close()
		} else {
			c.OK, c.Code, c.Detail, c.Hint = false, ServiceDown, err.Error(), serviceHint
		}
		found = append(found, c)
	}
	if forwards == nil {
		forwards = tryForwards(ctx, cfg)
	}
	for _, f := range forwards {
		c := Check{Name: "forward " + f.Listen, OK: f.Up, Detail: "to " + f.To}
		if !c.OK {
			c.Code, c.Detail, c.Hint = ServiceDown, f.Error, forwardHint
		}
		found = append(found, c)
	}
	return Check{Name: "device", OK: true, Checks: append([]Check{top}, found...)}
}

const forwardHint = "end the program that has this port, or change listen"

// tryForwards opens the forwards' ports for a moment.
func tryForwards(ctx context.Context, cfg Config) []GatewayStatus {
	var out []GatewayStatus
	try := func(listen, to string) {
		g := GatewayStatus{Listen: listen, To: to}
		l, err := new(net.ListenConfig).Listen(ctx, "tcp", listen)
		if g.Up = err == nil; g.Up {
			l.Close()
		} else {
			g.Error = err.Error()
		}
		out = append(out, g)
	}
	for _, f := range cfg.Forwards {
		try(f.Listen, f.To)
	}
	if cfg.SOCKS.Listen != "" {
		try(cfg.SOCKS.Listen, socksShown)
	}
	return out
}

// doctorPatience is how long a registration may take while somebody waits.
const doctorPatience = 45 * time.Second

// Diagnose brings the device online by itself, up to a probe of the closed network, and takes it down again; no agent may be
// running. It serves nothing, tries no cure, changes nothing in the system, and enters no PIN.
func Diagnose(ctx context.Context, cfg Config) Check { return diagnose(ctx, cfg, func(*Agent) {}) }

func diagnose(ctx context.Context, cfg Config, change func(*Agent)) Check {
	whole := cfg
	cfg.Services, cfg.Modem.PIN, cfg.StateDir = nil, "", ""
	cfg.setDefaults()
	if cfg.Link == LinkTUN {
		cfg.Link = LinkNetstack // which asks for no privilege, and changes nothing in the system
	}
	a := newAgent(cfg, &stateFile{})
	a.timing.deadlines[StateRegistered], a.timing.settle = doctorPatience, 0
	change(a)
	r := &round{agent: a}
	defer a.closeSession()
	defer r.end()
	r.started = time.Now()
	f := r.climb(ctx, false, StateIP)
	if f == nil {
		f = r.probeOnce(ctx)
	}
	if s := r.session; s != nil && !s.lost() && (f != nil || r.canAsk()) {
		sctx, cancel := context.WithTimeout(ctx, a.timing.answer)
		if f != nil && f.Code >= NotRegistered {
			r.endLink()
		}
		a.readSignal(sctx, s.modem)
		if f != nil && f.Code == SIM {
			f = a.explainSIM(sctx, s, f, whole)
		}
		cancel()
	}
	st := a.Status()
	st.State = StateOnline
	if f != nil {
		st.Failure = &FailureStatus{Code: f.Code, State: f.State, Message: f.Err.Error(), Hint: f.Hint}
	}
	return CheckLocal(ctx, st.Checks(), whole, nil)
}

// explainSIM adds what is known of the PIN of a SIM that asks for it: how many tries are left, and whether an agent has found the configured one
// wrong.
func (a *Agent) explainSIM(ctx context.Context, s *session, f *Failure, cfg Config) *Failure {
	st := a.Status()
	if st.SIM != modem.SIMPINRequired.String() && st.SIM != modem.SIMPUKRequired.String() {
		return f
	}
	tries, err := s.modem.PINTries(ctx)
	if err != nil {
		return f
	}
	pin := cfg.Modem.PIN
	if st.SIM != modem.SIMPINRequired.String() || pin == "" {
		f.Err = fmt.Errorf("%w; %d tries left", f.Err, tries)
		return f
	}
	if state, err := openState(cfg.StateDir); err == nil {
		if r, known := state.RecallPIN(st.ICCID, pin); known && (r.Refused || tries < r.Tries) {
			return pinFailure(modem.ErrPINKnownBad, tries)
		}
	}
	f.Err, f.Hint = fmt.Errorf("%w, which is not tried here; %d tries left", f.Err, tries), "start the agent, which enters modem.pin, and ask again"
	return f
}

// probeOnce asks the closed network as the agent would: as often as makes a dead link.
func (r *round) probeOnce(ctx context.Context) *Failure {
	cfg := r.agent.cfg.Probe
	p, ok, err := parseProbe(cfg.Target, r.link.dns)
	if err != nil || !ok {
		return nil
	}
	for range cfg.Failures {
		pctx, cancel := context.WithTimeout(ctx, cfg.Timeout)
		begin := time.Now()
		err = p.ask(pctx, r.link.network.DialContext)
		cancel()
		if err == nil {
			r.agent.update(func(s *Status) {
				s.Probe = &ProbeStatus{Target: p.network + "://" + p.to.String(), At: begin, RTT: time.Since(begin).Seconds()}
			})
			return nil
		}
	}
	f := fail(StateOnline, err)
	f.Hint = probeHint
	return f
}
