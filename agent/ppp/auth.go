package ppp

import (
	"crypto/rand"
	"fmt"
	"time"
)

const defaultChallengeName = "UMTS_CHAP_SRVR"

// authenticator is the Authenticate phase of one end. The client proves who it is; the server listens, and always agrees.
type authenticator interface {
	start(p AuthProtocol)
	receive(p Protocol, packet packet) // also later: a lost answer is repeated, a new challenge answered
	timeout()
	stop()
}

// authPorts are what an authenticator works with.
type authPorts struct {
	send    func(p Protocol, packet packet)
	fail    func(err error)
	done    func() // the phase is over; not called again until the next start
	timer   *time.Timer
	restart time.Duration
}

// authClient answers PAP or CHAP.
type authClient struct {
	authPorts
	user, password string

	protocol AuthProtocol
	request  *packet // PAP's Authenticate-Request or CHAP's last Response; nil: not sent yet
	papID    byte
	tries    int
	pending  bool
}

func (a *authClient) start(p AuthProtocol) {
	a.protocol, a.request, a.tries, a.pending = p, nil, 0, true
	if p == AuthCHAP {
		a.timer.Reset(maxConfigure * a.restart) // the challenge is the peer's to repeat
		return
	}
	if len(a.user) > 255 || len(a.password) > 255 {
		a.fail(fmt.Errorf("PAP carries no user name or password above 255 octets: %w", ErrAuthRefused))
		return
	}
	a.papID++
	a.request = &packet{papRequest, a.papID, appendPAPRequest(nil, a.user, a.password)}
	a.timeout()
}

// timeout sends the request again, CHAP's Response too: the peer's Success may have been lost (RFC 1994 section 4.2).
func (a *authClient) timeout() {
	if a.request == nil || a.tries >= maxConfigure {
		a.fail(fmt.Errorf("%v: the peer is silent: %w", a.protocol, ErrNegotiation))
		return
	}
	a.tries++
	a.timer.Reset(a.restart)
	a.send(a.protocol.number(), *a.request)
}

func (a *authClient) receive(proto Protocol, p packet) {
	if proto == ProtoCHAP && a.protocol == AuthCHAP && p.code == chapChallenge {
		a.answer(p)
		return
	}
	if !a.judging() || p.id != a.request.id {
		return
	}
	switch {
	case proto == ProtoPAP && a.protocol == AuthPAP && p.code == papAck,
		proto == ProtoCHAP && a.protocol == AuthCHAP && p.code == chapSuccess:
		a.stop()
		a.done()
	case proto == ProtoPAP && a.protocol == AuthPAP && p.code == papNak,
		proto == ProtoCHAP && a.protocol == AuthCHAP && p.code == chapFailure:
		a.stop()
		a.fail(fmt.Errorf("%v: %w", a.protocol, ErrAuthRefused))
	}
}

// answer responds to a challenge. A peer may challenge again at any time while the link is open (RFC 1994 section 2); a failure
// of such a challenge ends the link by the peer's Terminate-Request.
func (a *authClient) answer(p packet) {
	challenge, _, err := parseCHAPValue(p.data)
	if err != nil {
		return
	}
	value := chapAnswer(p.id, a.password, challenge)
	a.request = &packet{chapResponse, p.id, appendCHAPValue(nil, value, a.user)}
	if a.pending {
		a.timeout()
		return
	}
	a.send(ProtoCHAP, *a.request)
}

func (a *authClient) stop() {
	a.pending = false
	a.timer.Stop()
}

// judging tells whether the peer has our name and has not yet said what it thinks of it.
func (a *authClient) judging() bool { return a.pending && a.request != nil }

// authServer listens as modems do: whatever the secret, the answer is Success.
type authServer struct {
	authPorts
	name  string // in challenges
	heard func(c Credentials)

	protocol  AuthProtocol
	id        byte
	challenge []byte
	tries     int
	pending   bool
}

func (a *authServer) start(p AuthProtocol) {
	a.protocol, a.tries, a.pending = p, 0, true
	a.id++
	a.challenge = make([]byte, chapChallengeSize)
	rand.Read(a.challenge)
	a.timeout()
}

func (a *authServer) timeout() {
	if a.tries >= maxConfigure {
		a.fail(fmt.Errorf("%v: the peer is silent: %w", a.protocol, ErrNegotiation))
		return
	}
	a.tries++
	a.timer.Reset(a.restart)
	if a.protocol == AuthCHAP {
		a.send(ProtoCHAP, packet{chapChallenge, a.id, appendCHAPValue(nil, a.challenge, a.name)})
	}
}

func (a *authServer) receive(proto Protocol, p packet) {
	switch {
	case proto == ProtoPAP && a.protocol == AuthPAP && p.code == papRequest:
		name, password, err := parsePAPRequest(p.data)
		if err != nil {
			return
		}
		a.accept(Credentials{Protocol: AuthPAP, Name: name, Password: password})
		a.send(ProtoPAP, packet{papAck, p.id, []byte{0}}) // an empty message, behind its length
	case proto == ProtoCHAP && a.protocol == AuthCHAP && p.code == chapResponse && p.id == a.id:
		value, name, err := parseCHAPValue(p.data)
		if err != nil {
			return
		}
		a.accept(Credentials{Protocol: AuthCHAP, Name: name, ID: a.id, Challenge: a.challenge, Response: append([]byte(nil), value...)})
		a.send(ProtoCHAP, packet{code: chapSuccess, id: p.id})
	default:
		return
	}
	if a.pending {
		a.stop()
		a.done()
	}
}

// accept keeps the first credentials; a repetition only means that our answer was lost.
func (a *authServer) accept(c Credentials) {
	if a.pending {
		a.heard(c)
	}
}

func (a *authServer) stop() {
	a.pending = false
	a.timer.Stop()
}
