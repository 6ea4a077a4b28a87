package agent

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"minato/agent/modem"
)

var (
	errUnregistered = errors.New("the registration was lost")
	errContextGone  = errors.New("the context is not active any more")
	errDisconnected = errors.New("the modem's network interface is not connected any more")
	errSIMGone      = errors.New("the SIM has gone")
)

// A watcher looks at the modem while a link is up, on the AT port beside the one that carries it. It ends the link for what the
// data does not show soon: a registration that stays lost, a context that the modem does not list any more, an interface that it has
// disconnected, a SIM taken out, a modem that restarted. An AT port that does not answer is no reason: the data decides.
type watcher struct {
	agent   *Agent
	session *session

	active    bool      // the context was listed as active on this link
	connected bool      // the network interface was said to be connected on this link
	lostAt    time.Time // since when the modem is not registered
	silent    bool      // the AT port does not answer
	radioAt   time.Time // when the signal was last read
}

// watch ends with the link, or ends it by its error.
func (r *round) watch(ctx context.Context) error {
	s := r.session
	if !r.canAsk() {
		select {
		case <-s.at.Done():
			return errPortGone
		case <-ctx.Done():
			return nil
		}
	}
	w := &watcher{agent: r.agent, session: s}
	t := r.agent.timing
	for {
		err := w.look(ctx)
		select {
		case said := <-s.ends: // the better reason: of a modem that began anew, what it answers now is a consequence
			return endedBy(ctx, said, t)
		default:
		}
		if err != nil && ctx.Err() == nil {
			return err
		}
		if !pauseUntil(ctx, t.minWatch) { // a flood of news does not keep the modem busy
			return nil
		}
		next := time.NewTimer(t.watch - t.minWatch)
		select {
		case <-next.C:
		case <-s.news:
		case said := <-s.ends:
			return endedBy(ctx, said, t)
		case <-s.at.Done():
			return errPortGone
		case <-ctx.Done():
			next.Stop()
			return nil
		}
		next.Stop()
	}
}

// endedBy is the end of a link by the modem's word. That the modem ended it may be the echo of an end whose reason is about to be told.
func endedBy(ctx context.Context, said error, t timing) error {
	if errors.Is(said, errByModem) && !pauseUntil(ctx, t.terminate) {
		return nil
	}
	return said
}

// pauseUntil waits; false when ctx ended first.
func pauseUntil(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// look asks once. Its error ends the link.
func (w *watcher) look(ctx context.Context) error {
	actx, cancel := context.WithTimeout(ctx, w.agent.timing.answer)
	defer cancel()
	err := w.registered(actx)
	if err == nil {
		err = w.context(actx)
	}
	if err == nil && w.agent.cfg.Link == LinkHost {
		err = w.connection(actx)
	}
	if err == nil && time.Since(w.radioAt) >= w.agent.timing.radio {
		w.radioAt = time.Now()
		err = w.agent.readSignal(actx, w.session.modem)
	}
	var f *Failure
	switch {
	case errors.As(err, &f):
		return f
	case errors.Is(err, io.EOF):
		return errPortGone
	}
	if ctx.Err() == nil { // otherwise it was the link's end that ended the question
		w.answered(err)
	}
	return nil
}

// answered notes whether the AT port answers, be it nonsense: one line when that changes.
func (w *watcher) answered(err error) {
	silent := isSilence(err)
	switch {
	case silent && !w.silent:
		w.agent.log.Warn("the AT port does not answer; the link goes on", "error", err)
	case !silent && w.silent:
		w.agent.log.Info("the AT port answers again")
	}
	w.silent = silent
}

func (w *watcher) registered(ctx context.Context) error {
	m, a := w.session.modem, w.agent
	reg, err := m.Registration(ctx)
	if err != nil {
		return err
	}
	a.update(func(s *Status) { s.setRegistration(reg) })
	if reg.Stat.Registered() {
		w.lostAt = time.Time{}
		return nil
	}
	if w.lostAt.IsZero() {
		w.lostAt = time.Now()
		a.log.Info("registration lost", "registration", reg.Stat)
	}
	if state, err := m.SIM(ctx); err == nil && state == modem.SIMAbsent {
		f := simFailure(state)
		f.State, f.Err = StateOnline, fmt.Errorf("%w: %w", errSIMGone, f.Err)
		return f
	}
	if time.Since(w.lostAt) < a.timing.regLoss {
		w.session.poke() // look again soon
		return nil
	}
	f := fail(StateOnline, fmt.Errorf("%w: %s", errUnregistered, reg.Stat))
	f.Code = NotRegistered
	return f
}

// context believes "inactive" only of a modem that said "active" on this link: some do not list a context that PPP dialled.
func (w *watcher) context(ctx context.Context) error {
	active, known, err := w.session.modem.ContextActive(ctx, w.agent.cfg.Network.CID)
	if err != nil || !known {
		return err
	}
	if w.active && !active {
		return fail(StateOnline, errContextGone)
	}
	w.active = active
	return nil
}

// connection is the same for the modem's network interface, which can be disconnected while its context stays active: on LTE that is so as
// long as the modem is attached.
func (w *watcher) connection(ctx context.Context) error {
	connected, known, err := w.session.modem.InterfaceConnected(ctx, w.agent.cfg.Network.CID)
	if err != nil || !known {
		return err
	}
	if w.connected && !connected {
		return fail(StateOnline, errDisconnected)
	}
	w.connected = connected
	return nil
}
