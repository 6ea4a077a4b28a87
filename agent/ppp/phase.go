package ppp

import (
	"encoding/binary"
	"fmt"
)

// phase is where the link stands (RFC 1661 section 3.2):
//
//	Establish --LCP up--> Authenticate --done--> Network --IPCP up--> packets
//	    ^                      |                    |
//	    `------- LCP down -----+--------------------'
type phase int

const (
	phaseEstablish phase = iota
	phaseAuthenticate
	phaseNetwork
)

func (l *link) lcpUp() {
	l.told = nil
	peer := l.options.peer
	l.phase = phaseAuthenticate
	l.echo.start()
	l.authUsed = peer.auth
	if l.cfg.Server != nil {
		l.authUsed = l.options.auth
		// Qualcomm's modems say nothing with it, and say it always.
		l.sendLCP(DiscardRequest, binary.BigEndian.AppendUint32(nil, l.options.magic))
	}
	l.logger.Debug("LCP is open", "mru", peer.mru, "accm", fmt.Sprintf("%#08x", peer.accm), "pfc", peer.pfc, "acfc", peer.acfc, "auth", l.authUsed.String())
	if l.authUsed == AuthNone {
		l.network()
		return
	}
	l.auth.start(l.authUsed)
}

func (l *link) lcpDown() {
	l.echo.stop()
	l.auth.stop()
	if l.phase == phaseNetwork {
		l.ipcp.handle(Down)
	}
	if l.bearer != nil {
		l.bearer.release()
	}
	l.phase = phaseEstablish
}

func (l *link) lcpFinished() {
	l.finished = true
	switch {
	case l.cause != nil:
	case l.told != nil:
		l.cause = l.told
	case l.lcp.looping:
		l.cause = fmt.Errorf("LCP: the peer refuses without end: %w", ErrNegotiation)
	default:
		l.cause = fmt.Errorf("LCP: no agreement in %d requests: %w", maxConfigure, ErrNegotiation)
	}
}

// network begins the Network phase: the peer is who it is.
func (l *link) network() {
	l.phase = phaseNetwork
	l.ipcp.handle(Up)
}

func (l *link) ipcpUp() {
	p := l.agreed()
	if l.cfg.Server == nil && !p.Local.IsValid() {
		l.fail(fmt.Errorf("IPCP: %w", ErrNoAddress))
		return
	}
	p.MTU, p.Auth = int(l.peerMRU()), l.authUsed
	if err := l.opened(p, l.framing()); err != nil {
		l.fail(err)
	}
}

func (l *link) ipcpDown() {
	l.in.ipOpen.Store(false)
	l.out.enqueue(queued{then: func() { l.out.setIPLocked(defaultFraming, 0) }})
}

func (l *link) ipcpFinished() {
	switch {
	case l.ipcp.terminated:
		l.fail(fmt.Errorf("IPCP: %w", ErrPeerTerminated))
	case l.cfg.Server == nil:
		l.fail(fmt.Errorf("IPCP: %w", ErrNoAddress))
	default:
		l.fail(fmt.Errorf("IPCP: no agreement in %d requests: %w", maxConfigure, ErrNegotiation))
	}
}
