package agent

import (
	"context"
	"errors"
	"net/netip"
	"time"

	"golang.org/x/sync/errgroup"

	"minato/agent/netstack"
	"minato/agent/ppp"
)

// A link is what runs while the modem is connected: PPP, the network on it, the services on that. What ends one of them ends all.
type link struct {
	ctx    context.Context // ends with the link; its cause says why
	cancel context.CancelCauseFunc
	group  *errgroup.Group
	conn   *ppp.Conn // nil where the modem has a network interface of its own

	// Once there is an address:
	network  network
	addr     netip.Addr
	dns      []netip.Addr  // as the network told
	received func() uint64 // packets that came by the link
	restore  func()        // gives the system back what the link changed; nil: nothing
}

var errRoundOver = errors.New("the round is over")

// newLink begins a link. It outlives the step's context.
func (r *round) newLink(ctx context.Context) {
	l := new(link)
	var base context.Context
	base, l.cancel = context.WithCancelCause(context.WithoutCancel(ctx))
	l.group, l.ctx = errgroup.WithContext(base)
	r.link = l
	select { // of an earlier link
	case <-r.session.ends:
	default:
	}
}

// negotiatePPP starts PPP on the call, and waits for an address.
func (r *round) negotiatePPP(ctx context.Context) error {
	n := r.agent.cfg.Network
	echo := max(n.EchoInterval, 0)
	r.newLink(ctx)
	l := r.link
	l.conn = ppp.New(r.data.Data, ppp.Config{
		Logger: r.agent.log, User: n.User, Password: n.Password, EchoInterval: echo, EchoFailures: n.EchoFailures,
	})
	l.group.Go(func() error {
		err := l.conn.Run(l.ctx)
		if err == nil && l.ctx.Err() == nil {
			err = ppp.ErrPeerTerminated
		}
		return err
	})
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

// useStack puts a stack of this process on the link.
func (r *round) useStack(context.Context) error {
	l, p := r.link, r.link.conn.Params()
	stack, err := netstack.New(netstack.Config{
		Addrs: []netip.Addr{p.Local}, MTU: p.MTU, Logger: r.agent.log, Output: l.conn.WritePackets, Queue: r.session.queue,
	})
	if err != nil {
		return err
	}
	l.conn.Attach(stack.Gather, stack.Flush)
	l.group.Go(func() error { return stack.Run(l.ctx) })
	l.received = func() uint64 { return l.conn.Stats().PacketsIn }
	select {
	case <-stack.Ready():
		r.begin(stack, p.Local, p.DNS, p.MTU)
		return nil
	case <-l.ctx.Done():
		return context.Cause(l.ctx)
	}
}

// begin uses a network that carries packets.
func (r *round) begin(n network, addr netip.Addr, dns []netip.Addr, mtu int) {
	l := r.link
	l.network, l.addr, l.dns = n, addr, dns
	r.agent.update(func(s *Status) { s.linkUp(l, mtu) })
	l.group.Go(func() error { return r.probe(l.ctx, l) })
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
		data := r.data
		hangUp := func() {
			if data != nil {
				data.Close()
			}
		}
		if r.rebooted || r.session != nil && r.session.lost() { // nobody is there to take leave of
			hangUp()
		}
		r.link.cancel(errRoundOver)
		leave := time.AfterFunc(r.agent.timing.terminate, hangUp)
		r.link.group.Wait() // its error is the context's cause, which was looked at
		leave.Stop()
		if r.link.restore != nil {
			r.link.restore()
		}
		r.link = nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), r.agent.timing.hangUp)
	defer cancel()
	if r.connected && !r.rebooted && !r.session.lost() {
		if err := r.session.modem.DisconnectInterface(ctx, r.agent.cfg.Network.CID); err != nil {
			r.agent.log.Debug("disconnecting the interface failed", "error", err)
		}
	}
	r.connected = false
	if r.data == nil {
		return
	}
	r.data.Close()
	r.data = nil
	if r.rebooted { // its call is gone, and it is deaf for a while
		return
	}
	if err := r.session.modem.HangUp(ctx); err != nil && !r.session.lost() {
		r.agent.log.Debug("hanging up failed", "error", err)
		r.stuck = true
	}
}

// end leaves nothing of the round but the open port.
func (r *round) end() { r.endLink() }
