package ppp

import "fmt"

// Faults are ways in which the PPP server of a real modem is seen to fail. The zero value is a server that works.
type Faults struct {
	IPCPSilent bool // IPCP is neither heard nor spoken: the bearer does not come, and nothing says so
	NotReady   bool // every IPCP request is naked at once with 10.11.12.13, and the network is not asked for an address
	RefuseAuth bool // PAP is answered with Authenticate-Nak, CHAP with Failure, and the link ends; a modem that asks for neither asks for CHAP
	EchoSilent bool // LCP echo requests are not answered

	Message string // of the refusal; what is beyond 255 octets is cut
}

const maxMessage = 255 // its length is one octet in PAP (RFC 1334 section 2.2.2)

// faults are those of this moment.
func (l *link) faults() Faults {
	if s := l.cfg.Server; s != nil && s.Faults != nil {
		return s.Faults()
	}
	return Faults{}
}

// faultyIPCP is an ipcpServer whose bearer may fail to become ready.
type faultyIPCP struct {
	*ipcpServer
	faults func() Faults
}

func (f faultyIPCP) judge(opts []option) verdict {
	if f.faults().NotReady {
		return notReady(opts)
	}
	return f.ipcpServer.judge(opts)
}

// faultyAuth is an authServer that may refuse.
type faultyAuth struct {
	*authServer
	faults func() Faults
}

func (a *faultyAuth) receive(proto Protocol, p packet) {
	f := a.faults()
	if !f.RefuseAuth {
		a.authServer.receive(proto, p)
		return
	}
	message := f.Message[:min(len(f.Message), maxMessage)]
	switch {
	case proto == ProtoPAP && a.protocol == AuthPAP && p.code == papRequest:
		a.send(ProtoPAP, packet{papNak, p.id, append([]byte{byte(len(message))}, message...)})
	case proto == ProtoCHAP && a.protocol == AuthCHAP && p.code == chapResponse && p.id == a.id:
		a.send(ProtoCHAP, packet{chapFailure, p.id, []byte(message)})
	default:
		return
	}
	if a.pending { // a repetition means that the first refusal was lost
		a.stop()
		a.fail(fmt.Errorf("%v: %w", a.protocol, ErrAuthRefused))
	}
}
