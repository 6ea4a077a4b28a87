package ppp

import (
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"time"

	"minato/agent/ppp/hdlc"
)

// link is the state of one link. The event loop owns it.
type link struct {
	cfg    Config
	logger *slog.Logger
	out    *writer
	in     *reader
	stats  *counters
	opened func(p Params, f framing) error // IPCP is up

	phase     phase
	lcp, ipcp *negotiator
	options   *lcpPolicy
	agreed    func() Params // IPCP's
	auth      authenticator
	authTimer *time.Timer
	authUsed  AuthProtocol
	echo      *echo
	bearer    *bearer // nil: we are the client

	cause    error // why the link ends, the first reason
	told     error // what the peer's Terminate-Request means
	closing  bool  // LCP has been told to close
	finished bool
}

func newLink(cfg Config, out *writer, in *reader, stats *counters, random func() uint32, opened func(Params, framing) error) *link {
	l := &link{cfg: cfg, logger: cfg.Logger, out: out, in: in, stats: stats, opened: opened, authTimer: stoppedTimer()}
	l.options = &lcpPolicy{mru: uint16(cfg.MRU), accm: cfg.ACCM, random: random}
	ports := authPorts{
		send:  func(p Protocol, pk packet) { l.send(p, pk.append(nil)) },
		fail:  l.fail,
		done:  l.network,
		timer: l.authTimer, restart: cfg.RestartInterval,
	}
	var network policy
	firstID := byte(1)
	if s := cfg.Server; s != nil {
		firstID = 0 // as modems number their requests
		l.options.server, l.options.demand = true, s.Auth
		if l.faults().RefuseAuth && s.Auth == AuthNone {
			l.options.demand = AuthCHAP
		}
		server := &ipcpServer{}
		network, l.agreed = faultyIPCP{server, l.faults}, server.agreed
		l.bearer = newBearer(s, server)
		l.auth = &faultyAuth{&authServer{authPorts: ports, name: s.Name, heard: func(c Credentials) { l.bearer.credentials = c }}, l.faults}
	} else {
		client := &ipcpClient{}
		network, l.agreed = client, client.agreed
		l.auth = &authClient{authPorts: ports, user: cfg.User, password: cfg.Password}
	}
	l.lcp = l.negotiator(ProtoLCP, l.options, firstID, layerEvents{up: l.lcpUp, down: l.lcpDown, finished: l.lcpFinished})
	l.lcp.other = l.lcpOther
	l.ipcp = l.negotiator(ProtoIPCP, network, firstID, layerEvents{up: l.ipcpUp, down: l.ipcpDown, finished: l.ipcpFinished})
	l.echo = newEcho(cfg)
	return l
}

func (l *link) negotiator(p Protocol, policy policy, firstID byte, events layerEvents) *negotiator {
	return &negotiator{
		proto: p, policy: policy, events: events, nextID: firstID,
		send: l.send, logger: l.logger, restart: l.cfg.RestartInterval, timer: stoppedTimer(),
		mru: func() int { return int(l.peerMRU()) },
	}
}

// start begins the negotiation: the line is up before Run is called.
func (l *link) start() {
	l.ipcp.handle(Open)
	l.lcp.handle(Open)
	l.lcp.handle(Up)
}

// receive takes one frame.
func (l *link) receive(ctx context.Context, f received) {
	switch f.proto {
	case ProtoLCP, ProtoIPCP, ProtoPAP, ProtoCHAP:
	case ProtoIPv4:
		l.in.packet(f.payload)
		l.in.flush()
		return
	default:
		l.rejectProtocol(f)
		return
	}
	p, err := parsePacket(f.payload)
	if err != nil {
		l.stats.malformed.Add(1)
		return
	}
	switch f.proto {
	case ProtoLCP:
		l.receiveLCP(p)
	case ProtoIPCP:
		if l.phase == phaseNetwork { // before that, NCP packets are silently discarded (RFC 1661 section 3.4)
			l.receiveIPCP(ctx, p)
		}
	default:
		if l.phase != phaseEstablish {
			l.auth.receive(f.proto, p)
		}
	}
}

func (l *link) receiveLCP(p packet) {
	if p.code == TerminateRequest {
		l.told = ErrPeerTerminated
		if c, ok := l.auth.(*authClient); ok && l.phase == phaseAuthenticate && c.judging() {
			l.told = fmt.Errorf("the peer ended the link instead of an answer to %v: %w", c.protocol, ErrAuthRefused)
		}
	}
	l.lcp.receive(p)
	if l.options.loops >= maxLoops {
		l.fail(ErrLoopback)
	}
}

func (l *link) receiveIPCP(ctx context.Context, p packet) {
	if l.bearer != nil {
		f := l.faults()
		if f.IPCPSilent || !f.NotReady && p.code == ConfigureRequest && l.bearer.hold(ctx, p) {
			return
		}
	}
	l.ipcp.receive(p)
}

// bearerReady is called when the network has answered.
func (l *link) bearerReady(g granted) {
	if g.err != nil {
		l.fail(fmt.Errorf("activating the bearer: %w", g.err))
		return
	}
	if !g.lease.Addr.Is4() || g.lease.Addr.IsUnspecified() {
		l.fail(fmt.Errorf("activating the bearer: the lease's address %v cannot be told over IPCP: %w", g.lease.Addr, ErrNoAddress))
		return
	}
	g.lease.DNS = slices.DeleteFunc(slices.Clone(g.lease.DNS), func(a netip.Addr) bool { return !a.Is4() })
	l.bearer.policy.lease = &g.lease
	l.answerHeld()
}

// answerHeld answers the Configure-Request that waited for the network, with the address or with "not ready".
func (l *link) answerHeld() {
	if p, ok := l.bearer.release(); ok && l.phase == phaseNetwork {
		l.ipcp.receive(p)
	}
}

// fail ends the link in good order; the first reason counts.
func (l *link) fail(err error) {
	if l.cause == nil {
		l.cause = err
	}
}

// settle closes LCP once there is a reason to. It is called between events, never from within one.
func (l *link) settle() {
	if l.cause != nil && !l.closing && !l.finished {
		l.closing = true
		l.lcp.handle(Close)
	}
}

// ended is the error of a link that the line itself ends: what was known before counts first, and both can be told with errors.Is.
func (l *link) ended(err error) error {
	before := l.cause
	if before == nil {
		before = l.told
	}
	if before == nil {
		return err
	}
	return fmt.Errorf("%w; then %w", before, err)
}

// stopTimers leaves nothing to fire after the event loop.
func (l *link) stopTimers() {
	for _, t := range []*time.Timer{l.lcp.timer, l.ipcp.timer, l.authTimer, l.echo.timer} {
		t.Stop()
	}
	if l.bearer != nil {
		l.bearer.timer.Stop()
	}
}

// framing is how the peer takes what is not LCP.
func (l *link) framing() framing {
	if l.phase == phaseEstablish {
		return defaultFraming
	}
	peer := l.options.peer
	return framing{accm: peer.accm, pfc: peer.pfc, acfc: peer.acfc}
}

func (l *link) peerMRU() uint16 {
	if l.phase == phaseEstablish {
		return defaultMRU
	}
	return l.options.peer.mru
}

// send queues one packet for the line.
func (l *link) send(p Protocol, payload []byte) {
	if p == ProtoIPCP && l.faults().IPCPSilent {
		return
	}
	f := defaultFraming
	if p != ProtoLCP {
		f = l.framing()
	}
	header := f.appendHeader(make([]byte, 0, maxHeader), p)
	l.out.enqueue(queued{frame: hdlc.AppendFrame(nil, f.accm, header, payload)})
}

func (l *link) sendLCP(c Code, data []byte) {
	l.lcp.sendPacket(packet{c, l.lcp.newID(), data})
}

func stoppedTimer() *time.Timer {
	t := time.NewTimer(time.Hour)
	t.Stop()
	return t
}
