package ppp

import "fmt"

// State is a state of the option negotiation automaton (RFC 1661 section 4.2).
type State int

// The ten states, numbered as in the RFC.
const (
	Initial State = iota
	Starting
	Closed
	Stopped
	Closing
	Stopping
	ReqSent
	AckRcvd
	AckSent
	Opened
)

var stateNames = [...]string{
	"Initial", "Starting", "Closed", "Stopped", "Closing", "Stopping", "Req-Sent", "Ack-Rcvd", "Ack-Sent", "Opened",
}

func (s State) String() string { return stateNames[s] }

// Event is what happens to the automaton (RFC 1661 section 4.3).
type Event int

// The sixteen events, in the order of the RFC's table.
const (
	Up Event = iota
	Down
	Open
	Close
	TOPlus   // timeout with the restart counter above zero
	TOMinus  // timeout with the restart counter expired
	RCRPlus  // Configure-Request that we acknowledge
	RCRMinus // Configure-Request that we do not
	RCA      // Configure-Ack
	RCN      // Configure-Nak or Configure-Reject
	RTR      // Terminate-Request
	RTA      // Terminate-Ack
	RUC      // unknown code
	RXJPlus  // Code-Reject or Protocol-Reject that can be lived with
	RXJMinus // one that cannot
	RXR      // Echo-Request, Echo-Reply, Discard-Request
)

var eventNames = [...]string{
	"Up", "Down", "Open", "Close", "TO+", "TO-", "RCR+", "RCR-", "RCA", "RCN", "RTR", "RTA", "RUC", "RXJ+", "RXJ-", "RXR",
}

func (e Event) String() string { return eventNames[e] }

// action is what the automaton asks for (RFC 1661 section 4.4).
type action int

const (
	tlu action = iota // this layer up
	tld               // this layer down
	tls               // this layer started
	tlf               // this layer finished
	irc               // initialise restart counter
	zrc               // zero restart counter
	scr               // send Configure-Request
	sca               // send Configure-Ack
	scn               // send Configure-Nak or Configure-Reject
	str               // send Terminate-Request
	sta               // send Terminate-Ack
	scj               // send Code-Reject
	ser               // send Echo-Reply
)

var actionNames = [...]string{"tlu", "tld", "tls", "tlf", "irc", "zrc", "scr", "sca", "scn", "str", "sta", "scj", "ser"}

func (a action) String() string { return actionNames[a] }

// transition is one cell of the table. The zero value is the RFC's "-": the event cannot happen in that state.
type transition struct {
	legal   bool
	next    State
	actions []action
}

// to makes a cell.
func to(next State, actions ...action) transition { return transition{true, next, actions} }

// transitions is the table of RFC 1661 section 4.1. Of its options none is taken: a restart of an open layer (r) is the owner's
// Down and Up, no end is passive (p), and a crossed connection (x) is not logged.
var transitions = [...][10]transition{
	Up: {Initial: to(Closed), Starting: to(ReqSent, irc, scr)},
	Down: {
		Closed: to(Initial), Stopped: to(Starting, tls), Closing: to(Initial), Stopping: to(Starting),
		ReqSent: to(Starting), AckRcvd: to(Starting), AckSent: to(Starting), Opened: to(Starting, tld),
	},
	Open: {
		Initial: to(Starting, tls), Starting: to(Starting), Closed: to(ReqSent, irc, scr), Stopped: to(Stopped),
		Closing: to(Stopping), Stopping: to(Stopping), ReqSent: to(ReqSent), AckRcvd: to(AckRcvd), AckSent: to(AckSent), Opened: to(Opened),
	},
	Close: {
		Initial: to(Initial), Starting: to(Initial, tlf), Closed: to(Closed), Stopped: to(Closed), Closing: to(Closing), Stopping: to(Closing),
		ReqSent: to(Closing, irc, str), AckRcvd: to(Closing, irc, str), AckSent: to(Closing, irc, str), Opened: to(Closing, tld, irc, str),
	},
	TOPlus: {
		Closing: to(Closing, str), Stopping: to(Stopping, str),
		ReqSent: to(ReqSent, scr), AckRcvd: to(ReqSent, scr), AckSent: to(AckSent, scr),
	},
	TOMinus: {
		Closing: to(Closed, tlf), Stopping: to(Stopped, tlf),
		ReqSent: to(Stopped, tlf), AckRcvd: to(Stopped, tlf), AckSent: to(Stopped, tlf),
	},
	RCRPlus: {
		Closed: to(Closed, sta), Stopped: to(AckSent, irc, scr, sca), Closing: to(Closing), Stopping: to(Stopping),
		ReqSent: to(AckSent, sca), AckRcvd: to(Opened, sca, tlu), AckSent: to(AckSent, sca), Opened: to(AckSent, tld, scr, sca),
	},
	RCRMinus: {
		Closed: to(Closed, sta), Stopped: to(ReqSent, irc, scr, scn), Closing: to(Closing), Stopping: to(Stopping),
		ReqSent: to(ReqSent, scn), AckRcvd: to(AckRcvd, scn), AckSent: to(ReqSent, scn), Opened: to(ReqSent, tld, scr, scn),
	},
	RCA: {
		Closed: to(Closed, sta), Stopped: to(Stopped, sta), Closing: to(Closing), Stopping: to(Stopping),
		ReqSent: to(AckRcvd, irc), AckRcvd: to(ReqSent, scr), AckSent: to(Opened, irc, tlu), Opened: to(ReqSent, tld, scr),
	},
	RCN: {
		Closed: to(Closed, sta), Stopped: to(Stopped, sta), Closing: to(Closing), Stopping: to(Stopping),
		ReqSent: to(ReqSent, irc, scr), AckRcvd: to(ReqSent, scr), AckSent: to(AckSent, irc, scr), Opened: to(ReqSent, tld, scr),
	},
	RTR: {
		Closed: to(Closed, sta), Stopped: to(Stopped, sta), Closing: to(Closing, sta), Stopping: to(Stopping, sta),
		ReqSent: to(ReqSent, sta), AckRcvd: to(ReqSent, sta), AckSent: to(ReqSent, sta), Opened: to(Stopping, tld, zrc, sta),
	},
	RTA: {
		Closed: to(Closed), Stopped: to(Stopped), Closing: to(Closed, tlf), Stopping: to(Stopped, tlf),
		ReqSent: to(ReqSent), AckRcvd: to(ReqSent), AckSent: to(AckSent), Opened: to(ReqSent, tld, scr),
	},
	RUC: {
		Closed: to(Closed, scj), Stopped: to(Stopped, scj), Closing: to(Closing, scj), Stopping: to(Stopping, scj),
		ReqSent: to(ReqSent, scj), AckRcvd: to(AckRcvd, scj), AckSent: to(AckSent, scj), Opened: to(Opened, scj),
	},
	RXJPlus: {
		Closed: to(Closed), Stopped: to(Stopped), Closing: to(Closing), Stopping: to(Stopping),
		ReqSent: to(ReqSent), AckRcvd: to(ReqSent), AckSent: to(AckSent), Opened: to(Opened),
	},
	RXJMinus: {
		Closed: to(Closed, tlf), Stopped: to(Stopped, tlf), Closing: to(Closed, tlf), Stopping: to(Stopped, tlf),
		ReqSent: to(Stopped, tlf), AckRcvd: to(Stopped, tlf), AckSent: to(Stopped, tlf), Opened: to(Stopping, tld, irc, str),
	},
	RXR: {
		Closed: to(Closed), Stopped: to(Stopped), Closing: to(Closing), Stopping: to(Stopping),
		ReqSent: to(ReqSent), AckRcvd: to(AckRcvd), AckSent: to(AckSent), Opened: to(Opened, ser),
	},
}

// step is the automaton: what event e does in state s. It is pure; the layers carry the actions out.
func step(s State, e Event) (State, []action, error) {
	t := transitions[e][s]
	if !t.legal {
		return s, nil, fmt.Errorf("event %v cannot happen in state %v", e, s)
	}
	return t.next, t.actions, nil
}
