package ppp

import (
	"bytes"
	"log/slog"
	"slices"
	"time"
)

const (
	maxConfigure  = 10 // Configure-Requests without an answer (RFC 1661 section 4.6)
	maxTerminate  = 2
	maxFailure    = 5  // naks we send before we reject instead
	maxNaksTaken  = 30 // naks and rejects we take: modems nak while their bearer is not ready; pppd users set ipcp-max-failure 30
	restartPeriod = 3 * time.Second
)

// verdict is what a policy says to a peer's Configure-Request. Both lists empty acknowledges it.
type verdict struct {
	nak    []option
	reject []option
	hint   bool // the naks are to make the peer wait, and do not count as failures to converge
}

// policy is what one layer at one end wants: the only difference between LCP and IPCP, client and server.
type policy interface {
	reset()                      // a negotiation begins: forget what was learnt in the last
	request() []option           // what we ask for
	nak(opts []option)           // the peer suggests these values
	reject(opts []option)        // the peer does not know these options
	judge(opts []option) verdict // what we say to the peer's request
}

// layerEvents are what a negotiator tells its owner, from within its methods.
type layerEvents struct {
	up       func()
	down     func()
	finished func()
}

// negotiator runs the automaton for one control protocol: packets and timeouts in, packets and layer events out. It is not
// safe for concurrent use: the event loop owns it.
type negotiator struct {
	proto   Protocol
	policy  policy
	events  layerEvents
	send    func(p Protocol, payload []byte)
	other   func(p packet) // LCP only: codes 8 to 11
	logger  *slog.Logger
	restart time.Duration
	timer   *time.Timer
	mru     func() int // the longest packet that the peer takes

	state     State
	counter   int  // the restart counter
	nextID    byte // for the next packet that is not an answer
	requestID byte // of the last Configure-Request,
	requested []byte
	waiting   bool // which is not answered yet
	naksSent  int
	naksTaken int

	looping    bool // the peer's naks and rejects do not end
	terminated bool // the peer ended the open layer
	malformed  uint64
	rejected   uint64

	rx    packet  // the packet that made the event, for the actions that answer it
	reply verdict // and what the policy says to it
}

// handle makes the transition for one event. It must not be called from within an action.
func (n *negotiator) handle(e Event) {
	before := n.state
	next, actions, err := step(before, e)
	if err != nil {
		n.logger.Debug("PPP event ignored", "layer", n.proto, "event", e, "state", before)
		return
	}
	n.state = next
	if before != next {
		n.logger.Debug("PPP state", "layer", n.proto, "event", e, "from", before, "to", next)
	}
	for _, a := range actions {
		n.act(a, before)
	}
	switch n.state {
	case Closing, Stopping, ReqSent, AckRcvd, AckSent:
	default:
		n.timer.Stop()
	}
}

// timeout is for the owner of the timer.
func (n *negotiator) timeout() {
	if n.counter > 0 {
		n.handle(TOPlus)
		return
	}
	n.handle(TOMinus)
}

func (n *negotiator) act(a action, before State) {
	switch a {
	case tlu:
		n.naksSent, n.naksTaken, n.terminated = 0, 0, false
		n.events.up()
	case tld:
		n.events.down()
	case tlf:
		n.events.finished()
	case tls: // the layer below is up before we begin
	case irc:
		n.counter = maxConfigure
		if n.state == Closing || n.state == Stopping {
			n.counter = maxTerminate
		}
	case zrc:
		n.counter = 0
		n.timer.Reset(n.restart)
	case scr:
		n.configure(before)
	case sca:
		n.naksSent = 0
		n.sendPacket(packet{ConfigureAck, n.rx.id, n.rx.data})
	case scn:
		n.refuse()
	case str:
		n.counter--
		n.timer.Reset(n.restart)
		n.sendPacket(packet{code: TerminateRequest, id: n.newID()})
	case sta:
		n.sendPacket(packet{code: TerminateAck, id: n.answerID()})
	case scj:
		n.rejected++
		n.sendPacket(packet{CodeReject, n.newID(), n.bounded(n.rx.append(nil))})
	case ser:
		n.other(n.rx)
	}
}

// configure is the scr action. The Identifier changes with every request, so that a late answer to an older one is told apart.
func (n *negotiator) configure(before State) {
	if before != ReqSent && before != AckRcvd && before != AckSent {
		n.policy.reset()
		n.naksSent, n.naksTaken = 0, 0
	}
	n.requestID, n.waiting = n.newID(), true
	n.requested = appendOptions(nil, n.policy.request())
	n.counter--
	n.timer.Reset(n.restart)
	n.sendPacket(packet{ConfigureRequest, n.requestID, n.requested})
}

// refuse is the scn action: rejects go first, since naks may depend on what is left (RFC 1661 section 5.4).
func (n *negotiator) refuse() {
	if len(n.reply.reject) > 0 {
		n.sendPacket(packet{ConfigureReject, n.rx.id, appendOptions(nil, n.reply.reject)})
		return
	}
	if !n.reply.hint {
		n.naksSent++
	}
	n.sendPacket(packet{ConfigureNak, n.rx.id, appendOptions(nil, n.reply.nak)})
}

// receive takes one packet of this protocol.
func (n *negotiator) receive(p packet) {
	n.rx = p
	switch p.code {
	case ConfigureRequest:
		n.receiveRequest(p)
	case ConfigureAck:
		if n.answers(p) && bytes.Equal(p.data, n.requested) {
			n.waiting = false
			n.handle(RCA)
		}
	case ConfigureNak, ConfigureReject:
		n.receiveRefusal(p)
	case TerminateRequest:
		n.terminated = n.terminated || n.state == Opened
		n.handle(RTR)
	case TerminateAck:
		n.handle(RTA)
	case CodeReject:
		n.receiveCodeReject(p)
	default:
		if n.other == nil || p.code < ProtocolReject || p.code > DiscardRequest {
			n.handle(RUC)
			return
		}
		if p.code == ProtocolReject {
			n.other(p)
			return
		}
		n.handle(RXR)
	}
}

func (n *negotiator) receiveRequest(p packet) {
	opts, err := parseOptions(p.data)
	if err != nil {
		n.malformed++
		return
	}
	n.reply = n.policy.judge(opts)
	if len(n.reply.reject) == 0 && !n.reply.hint && n.naksSent >= maxFailure {
		// RFC 1661 section 4.6: the peer does not converge, so what it asks for is refused rather than corrected.
		// What it never asked for can only be let go.
		n.reply.reject = slices.DeleteFunc(slices.Clone(opts), func(o option) bool { return !hasOption(n.reply.nak, o.kind) })
		n.reply.nak = nil
	}
	if len(n.reply.nak)+len(n.reply.reject) > 0 {
		n.handle(RCRMinus)
		return
	}
	n.handle(RCRPlus)
}

func (n *negotiator) receiveRefusal(p packet) {
	if !n.answers(p) {
		return
	}
	opts, err := parseOptions(p.data)
	requested, _ := parseOptions(n.requested)
	if err != nil || p.code == ConfigureReject && (len(opts) == 0 || !optionsWithin(opts, requested)) {
		n.malformed++
		return
	}
	n.waiting = false
	if n.naksTaken++; n.naksTaken > maxNaksTaken {
		n.looping = true
		n.handle(RXJMinus) // ends the layer, as any refusal that cannot be lived with
		return
	}
	if p.code == ConfigureReject {
		n.policy.reject(opts)
	} else {
		n.policy.nak(opts)
	}
	n.handle(RCN)
}

// answers tells whether p answers our last Configure-Request, once.
func (n *negotiator) answers(p packet) bool { return n.waiting && p.id == n.requestID }

func (n *negotiator) receiveCodeReject(p packet) {
	if len(p.data) == 0 {
		n.malformed++
		return
	}
	if Code(p.data[0]) <= CodeReject {
		n.handle(RXJMinus) // without these there is no negotiation
		return
	}
	n.handle(RXJPlus)
}

func (n *negotiator) sendPacket(p packet) { n.send(n.proto, p.append(nil)) }

func (n *negotiator) newID() byte {
	id := n.nextID
	n.nextID++
	return id
}

// answerID is the identifier of a Terminate-Ack, which also answers packets that should not have come (RFC 1661 section 5.5).
func (n *negotiator) answerID() byte {
	if n.rx.code == TerminateRequest {
		return n.rx.id
	}
	return n.newID()
}

// bounded cuts what is sent back of a rejected packet to what the peer can take.
func (n *negotiator) bounded(p []byte) []byte { return p[:min(len(p), n.mru()-packetHeader)] }
