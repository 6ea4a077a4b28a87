package agent

import (
	"context"
	"errors"
	"fmt"
	"time"

	"minato/agent/atline"
	"minato/agent/modem"
	"minato/agent/ppp"
)

// A round is one way through the states.
type round struct {
	agent   *Agent
	session *session
	data    *modem.Call // with PPP: the call
	link    *link
	started time.Time

	connected bool // the modem was asked to connect its network interface
	stuck     bool // the modem could not be taken back from the call
	rebooted  bool // the modem began anew
}

// steps are the states of a round, in order. Those of the port are passed over while it is open.
var steps = []struct {
	state  State
	ofPort bool
	do     func(*round, context.Context) error
}{
	{StatePort, true, (*round).openPort},
	{StateIdentify, true, (*round).identify},
	{StateSIM, false, (*round).sim},
	{StateRegistered, false, (*round).register},
	{StateContext, false, (*round).context},
	{StateDial, false, (*round).dial},
	{StatePPP, false, (*round).negotiate},
	{StateIP, false, (*round).ip},
	{StateServices, false, (*round).serve},
}

// run goes through the states, and stays online until the link is lost or ctx ends. up is how long the services could be reached.
func (r *round) run(ctx context.Context) (up time.Duration, f *Failure) {
	r.started = time.Now()
	r.session = r.agent.currentSession()
	open := r.session != nil
	r.agent.update(func(s *Status) { s.Rounds++ })
	defer r.end()
	if f := r.climb(ctx, open, StateServices); f != nil {
		return 0, f
	}
	r.agent.due.Store(0) // it waits for the link's end, however long
	online := time.Now()
	r.agent.online(time.Since(r.started))
	err := r.link.wait(ctx)
	r.agent.busyUntil(0) // taking the link down is a matter of seconds
	return max(time.Since(online), 1), r.explain(ctx, StateOnline, err)
}

// climb goes through the states up to the last.
func (r *round) climb(ctx context.Context, open bool, last State) *Failure {
	for _, step := range steps {
		if open && step.ofPort {
			continue
		}
		if step.state > last {
			break
		}
		r.agent.enter(step.state)
		if err := r.step(ctx, step.state, step.do); err != nil {
			return r.explain(ctx, step.state, err)
		}
	}
	return nil
}

// step runs one state under its deadline.
func (r *round) step(ctx context.Context, s State, do func(*round, context.Context) error) error {
	limit := r.agent.timing.deadlines[s]
	r.agent.busyUntil(limit)
	sctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	if s > StateIdentify && s < StatePPP { // before, it may be booting, and is waited for; later, the link is watched
		do = attended(do)
	}
	err := do(r, sctx)
	if errors.Is(err, context.DeadlineExceeded) && sctx.Err() != nil && ctx.Err() == nil {
		var f *Failure
		if !errors.As(err, &f) {
			err = fmt.Errorf("no end within %v: %w", limit, err)
		}
	}
	return err
}

// explain makes a failure of an error: a port that is gone explains every other.
func (r *round) explain(ctx context.Context, s State, err error) *Failure {
	if r.session != nil && r.session.lost() {
		if s == StateOnline { // USB modems go for seconds, and come back by themselves
			r.agent.booting = time.Now().Add(r.agent.timing.replug)
		}
		return &Failure{Code: NoModem, State: s, Err: errPortGone, Hint: "check the cable and the power of the modem"}
	}
	if isRestart(err) {
		// What was set is forgotten, and there is no call to hang up: begin with the port.
		r.agent.booting = time.Now().Add(r.session.modem.Boot())
		r.rebooted = true
	}
	f := fail(s, err)
	refused := r.agent.cfg.Link == LinkHost && modem.Refused(err)
	noWord := refused || errors.Is(err, ppp.ErrNoCarrier) || errors.Is(err, ppp.ErrPeerTerminated) || errors.As(err, new(atline.ConnectError))
	if (s == StateDial || s == StatePPP) && noWord && ctx.Err() == nil {
		r.endLink() // the modem can be asked when it is back in command mode
		ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
		defer cancel()
		if text, err := r.session.modem.Cause(ctx); err == nil {
			causeCode(f, text)
		}
	}
	return f
}

// spoiled tells whether the port must be opened anew.
func (r *round) spoiled(f *Failure) bool {
	return r.stuck || r.rebooted || r.session == nil || r.session.lost() || f.State <= StateSIM || f.Code == NoModem
}

// openPort opens the ports.
func (r *round) openPort(context.Context) error {
	cfg := r.agent.cfg.Modem
	if cfg.detectBaud && r.agent.baud != 0 {
		cfg.Baud = r.agent.baud
	}
	cfg.settled = r.agent.isSettled()
	s, err := openSession(cfg, r.agent.cfg.Network.CID, r.agent.guard, r.agent.log)
	if err != nil {
		return err
	}
	r.session = s
	r.agent.setSession(s)
	r.agent.update(func(st *Status) { st.Port = s.cfg.Port }) // of auto
	return nil
}

// recognise finds out who the modem is, and no more: the way to restart it depends on the vendor.
func (r *round) recognise(ctx context.Context) error {
	_, err := r.session.identify(ctx, r.agent.timing.probe)
	return err
}

// identify finds out whether a modem listens, and who it is.
func (r *round) identify(ctx context.Context) error {
	id, err := r.session.identify(ctx, r.agent.timing.probe)
	if err != nil {
		return err
	}
	select {
	case <-r.session.begun: // as it does while it boots
	default:
	}
	if s := r.session; s.baud != s.cfg.Baud {
		r.agent.log.Info("the modem's speed was found", "baud", s.baud)
	}
	r.agent.baud = r.session.baud
	before := r.session.modem
	if r.agent.cfg.Link != LinkHost { // there the port is free while the link is up
		if err := r.session.multiplex(ctx, r.agent.timing.probe); err != nil {
			return err
		}
	}
	if r.session.modem != before { // it answers on a channel of its own now, which has its own settings
		if id, err = r.session.identify(ctx, r.agent.timing.probe); err != nil {
			return err
		}
	}
	r.agent.log.Info("modem", "manufacturer", id.Manufacturer, "model", id.Model, "revision", id.Revision, "imei", id.IMEI, "profile", id.Profile)
	r.agent.update(func(s *Status) { s.Modem = &id })
	return r.session.modem.Setup(ctx)
}

func (a *Agent) pdpContext() modem.PDPContext {
	n := a.cfg.Network
	return modem.PDPContext{CID: n.CID, Type: modem.PDPType(n.Type), APN: n.APN}
}

var authProtocols = map[string]modem.AuthProtocol{"none": modem.AuthNone, "pap": modem.AuthPAP, "chap": modem.AuthCHAP}

// context sets up the packet data context.
func (r *round) context(ctx context.Context) error {
	m, n := r.session.modem, r.agent.cfg.Network
	if attached, err := m.Attached(ctx); err != nil && !modem.Refused(err) {
		return err
	} else if err == nil && !attached {
		if err := m.Attach(ctx); err != nil {
			return err
		}
	}
	if err := m.DefineContext(ctx, r.agent.pdpContext()); err != nil {
		return err
	}
	return m.Auth(ctx, n.CID, authProtocols[n.Auth], n.User, n.Password)
}

// call dials, for PPP.
func (r *round) call(ctx context.Context) (err error) {
	r.data, err = r.session.modem.Dial(ctx, r.agent.cfg.Network.CID)
	if err == nil {
		r.agent.log.Debug("connected", "text", r.data.Text)
	}
	return err
}
