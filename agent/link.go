package agent

import (
	"context"
	"errors"
	"net/netip"

	"golang.org/x/sync/errgroup"

	"minato/agent/netstack"
	"minato/agent/ppp"
)

// A link is what runs while a call is up: PPP, the IP stack on it, the services on that. What ends one of them ends all.
type link struct {
	ctx    context.Context // ends with the link; its cause says why
	cancel context.CancelCauseFunc
	group  *errgroup.Group
	conn   *ppp.Conn
	stack  *netstack.Stack
	addr   netip.Addr
}

var errRoundOver = errors.New("the round is over")

// negotiate starts PPP on the call, and waits for an address.
func (r *round) negotiate(ctx context.Context) error {
	n := r.agent.cfg.Network
	echo := max(n.EchoInterval, 0)
	l := &link{conn: ppp.New(r.call.Data, ppp.Config{
		Logger: r.agent.log, User: n.User, Password: n.Password, EchoInterval: echo, EchoFailures: n.EchoFailures,
	})}
	// Not the step's context: the link outlives it.
	base, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	l.cancel = cancel
	l.group, l.ctx = errgroup.WithContext(base)
	r.link = l
	l.group.Go(func() error {
		err := l.conn.Run(l.ctx)
		if err == nil && l.ctx.Err() == nil {
			err = ppp.ErrPeerTerminated
		}
		return err
	})
	select { // of an earlier link
	case <-r.session.ends:
	default:
	}
	l.group.Go(func() error { return r.watch(l.ctx) })
	select {
	case <-l.conn.Ready():
		return nil
	case <-l.ctx.Done():
		return context.Cause(l.ctx)
	case <-ctx.Done():
		return errors.Join(ppp.ErrNoAddress, ctx.Err())
	}
}

// ip puts the stack on the link.
func (r *round) ip(context.Context) error {
	l, p := r.link, r.link.conn.Params()
	stack, err := netstack.New(netstack.Config{
		Addrs: []netip.Addr{p.Local}, MTU: p.MTU, Logger: r.agent.log, Output: l.conn.WritePackets, Queue: r.session.queue,
	})
	if err != nil {
		return err
	}
	l.stack, l.addr = stack, p.Local
	l.conn.Attach(stack.Deliver)
	l.group.Go(func() error { return stack.Run(l.ctx) })
	r.agent.update(func(s *Status) { s.linkUp(p, l) })
	select {
	case <-stack.Ready():
		l.group.Go(func() error { return r.probe(l.ctx, l) })
		return nil
	case <-l.ctx.Done():
		return context.Cause(l.ctx)
	}
}

// wait waits for the end of the link, and says why it ended; or for the end of ctx.
func (l *link) wait(ctx context.Context) error {
	select {
	case <-l.ctx.Done():
		return context.Cause(l.ctx)
	case <-ctx.Done():
		return ctx.Err()
	}
}

// endLink ends what runs on the call, and takes the modem back.
func (r *round) endLink() {
	if r.link != nil {
		r.link.cancel(errRoundOver)
		r.link.group.Wait() // its error is the context's cause, which was looked at
		r.link = nil
	}
	if r.call == nil {
		return
	}
	if r.rebooted { // its call is gone, and it is deaf for a while
		r.call.Close()
		r.call = nil
		return
	}
	r.call.Close()
	r.call = nil
	ctx, cancel := context.WithTimeout(context.Background(), r.agent.timing.hangUp)
	defer cancel()
	if err := r.session.modem.HangUp(ctx); err != nil && !r.session.lost() {
		r.agent.log.Debug("hanging up failed", "error", err)
		r.stuck = true
	}
}

// end leaves nothing of the round but the open port.
func (r *round) end() { r.endLink() }
