package agent

import (
	"cmp"
	"context"
	"errors"
	"net"
	"net/netip"
	"time"

	"minato/agent/hostnet"
)

// Who takes part in the closed network.
const (
	LinkNetstack = "netstack" // this process alone, with an IP stack of its own: only the listed services can be reached
	LinkTUN      = "tun"      // the whole system, by an interface that the agent makes
	LinkHost     = "host"     // the whole system, by an interface that the modem or the system makes
)

// A network is the device's place in the closed network while a link is up. Addresses are literals.
type network interface {
	Listen(network, address string) (net.Listener, error)
	DialContext(ctx context.Context, network, address string) (net.Conn, error)
}

// A linkMode is what a round does from the dial to the address.
type linkMode struct {
	dial      func(*round, context.Context) error // the modem connects
	negotiate func(*round, context.Context) error // the link begins
	ip        func(*round, context.Context) error // there is an address, and a network on it
}

var linkModes = map[string]linkMode{
	LinkNetstack: {(*round).call, (*round).negotiatePPP, (*round).useStack},
	LinkTUN:      {(*round).call, (*round).negotiatePPP, (*round).useTUN},
	LinkHost:     {(*round).connectInterface, (*round).superviseInterface, (*round).useInterface},
}

func (r *round) mode() linkMode { return linkModes[r.agent.cfg.Link] }

func (r *round) dial(ctx context.Context) error      { return r.mode().dial(r, ctx) }
func (r *round) negotiate(ctx context.Context) error { return r.mode().negotiate(r, ctx) }
func (r *round) ip(ctx context.Context) error        { return r.mode().ip(r, ctx) }

// canAsk tells whether the modem takes commands while the link is up.
func (r *round) canAsk() bool {
	return r.agent.cfg.Link == LinkHost || r.session.hasOwnPPPPort()
}

// openSystem undoes what a killed agent left in the system's network, and makes ready to change it.
func (a *Agent) openSystem() error {
	if a.cfg.Link != LinkTUN {
		if a.cfg.StateDir == "" {
			return nil
		}
		if err := hostnet.Restore(a.cfg.StateDir, a.log); err != nil {
			a.log.Warn("an agent that was killed has changed the system's network, and it is not restored", "error", err)
		}
		return nil
	}
	var err error
	a.undo, err = hostnet.OpenUndo(a.cfg.StateDir, a.log)
	return err
}

func (a *Agent) closeSystem() {
	if a.undo != nil {
		a.undo.Close()
	}
}

// defaultQueue is how many packets may wait for a link whose speed is not known.
const defaultQueue = 256

// useTUN gives the link to the system.
func (r *round) useTUN(context.Context) error {
	l, p, cfg := r.link, r.link.conn.Params(), r.agent.cfg.TUN
	refused := func(err error) error {
		return &Failure{Code: NoAddress, State: StateIP, Class: ClassPerson, Err: err, Hint: hostnet.Hint(err)}
	}
	tunnel, err := hostnet.NewTunnel(hostnet.TunnelConfig{Name: cfg.Name, MTU: p.MTU, Output: l.conn.WritePackets, Logger: r.agent.log})
	if err != nil {
		return refused(err)
	}
	l.conn.Attach(tunnel.Deliver, nil)
	l.group.Go(func() error { return tunnel.Run(l.ctx) })
	queue := r.session.queue
	setDefault(&queue, defaultQueue)
	var routes []netip.Prefix
	for _, s := range cfg.Routes {
		routes = append(routes, netip.MustParsePrefix(s)) // as was checked
	}
	l.restore, err = hostnet.Apply(hostnet.Settings{
		Interface: cfg.Name, Addr: p.Local, Routes: routes, Metric: cfg.Metric, Queue: queue, Logger: r.agent.log,
		DNS: hostnet.DNS{Method: cfg.DNS, Servers: p.DNS, Domains: cfg.Domains},
	}, r.agent.undo)
	if err != nil {
		return refused(err)
	}
	l.received = func() uint64 { return l.conn.Stats().PacketsIn }
	r.begin(hostnet.Interface{Name: cfg.Name, Addr: p.Local}, p.Local, p.DNS, p.MTU)
	return nil
}

// connectInterface asks the modem for a connection by its network interface.
func (r *round) connectInterface(ctx context.Context) (err error) {
	if r.agent.cfg.Host.Connect == "off" {
		return nil
	}
	n := r.agent.cfg.Network
	r.connected, err = r.session.modem.ConnectInterface(ctx, r.agent.pdpContext(), authProtocols[n.Auth], n.User, n.Password)
	return err
}

// superviseInterface begins to look after the modem, before there is an address.
func (r *round) superviseInterface(ctx context.Context) error {
	r.newLink(ctx)
	r.link.group.Go(func() error { return r.watch(r.link.ctx) })
	return nil
}

var (
	errNoInterface = errors.New("the network interface is not there")
	errNoDHCP      = errors.New("the network interface has no IPv4 address")
	errAddressGone = errors.New("the network interface has lost its address")
)

const (
	interfaceHint = "is the modem in a mode with a network interface (ECM, QMI, RNDIS), and is it host.interface? `ip link` lists them"
	dhcpHint      = "does a DHCP client of the system look after it, and is it up? The agent leaves the interface to the system"
)

// useInterface waits until the system has given the interface an address.
func (r *round) useInterface(ctx context.Context) error {
	l, name := r.link, r.agent.cfg.Host.Interface
	state, err := hostnet.Look(name)
	for !state.Addr.IsValid() {
		if !pauseUntil(ctx, r.agent.timing.address) || l.ctx.Err() != nil {
			break
		}
		state, err = hostnet.Look(name)
	}
	switch {
	case l.ctx.Err() != nil:
		return context.Cause(l.ctx)
	case err != nil:
		return &Failure{Code: NoAddress, State: StateIP, Err: errors.Join(errNoInterface, err), Hint: cmp.Or(hostnet.Hint(err), interfaceHint)}
	case !state.Addr.IsValid():
		return &Failure{Code: NoAddress, State: StateIP, Err: errors.Join(errNoDHCP, ctx.Err()), Hint: dhcpHint}
	}
	pctx, cancel := context.WithTimeout(ctx, r.agent.timing.answer)
	given, err := r.session.modem.Parameters(pctx, r.agent.cfg.Network.CID)
	cancel()
	if err != nil {
		r.agent.log.Debug("the modem does not tell what the network gave", "error", err)
	} else if given.Addr != state.Addr {
		r.agent.log.Warn("the modem translates addresses: services are not reached from the closed network; have it bridge", "interface", state.Addr, "network", given.Addr)
	}
	l.received = func() uint64 {
		now, _ := hostnet.Look(name)
		return now.Received
	}
	r.begin(hostnet.Interface{Name: name, Addr: state.Addr}, state.Addr, given.DNS, state.MTU)
	l.group.Go(func() error { return watchInterface(l.ctx, name, state.Addr, r.agent.timing.address) })
	return nil
}

// watchInterface ends the link when its address goes.
func watchInterface(ctx context.Context, name string, addr netip.Addr, pause time.Duration) error {
	for pauseUntil(ctx, pause) {
		if now, err := hostnet.Look(name); err != nil || now.Addr != addr {
			return errors.Join(errAddressGone, err)
		}
	}
	return nil
}
