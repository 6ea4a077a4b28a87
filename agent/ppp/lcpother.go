package ppp

import (
	"encoding/binary"
	"fmt"
)

const magicSize = 4

// lcpOther takes LCP's packets beyond negotiation (RFC 1661 sections 5.7 to 5.9), while LCP is open.
func (l *link) lcpOther(p packet) {
	switch p.code {
	case ProtocolReject:
		l.receiveProtocolReject(p)
	case EchoRequest:
		if l.faults().EchoSilent {
			return
		}
		// One with our own magic number is our own, returned by the line.
		if magic, ok := leadingMagic(p.data); ok && (magic == 0 || magic != l.options.magic) {
			reply := binary.BigEndian.AppendUint32(nil, l.options.magic)
			l.lcp.sendPacket(packet{EchoReply, p.id, append(reply, p.data[magicSize:]...)})
		}
	case EchoReply:
		if magic, ok := leadingMagic(p.data); ok && (magic == 0 || magic != l.options.magic) {
			l.echo.answered()
		}
	case DiscardRequest:
	}
}

func leadingMagic(b []byte) (uint32, bool) {
	if len(b) < magicSize {
		return 0, false
	}
	return binary.BigEndian.Uint32(b), true
}

func (l *link) sendEcho() {
	l.sendLCP(EchoRequest, binary.BigEndian.AppendUint32(nil, l.options.magic))
}

// rejectProtocol answers a protocol that we do not speak: CCP, IPV6CP and all others (RFC 1661 section 5.7).
func (l *link) rejectProtocol(f received) {
	if l.lcp.state != Opened {
		return
	}
	l.stats.rejected.Add(1)
	data := binary.BigEndian.AppendUint16(nil, uint16(f.proto))
	l.sendLCP(ProtocolReject, l.lcp.bounded(append(data, f.payload...)))
}

// receiveProtocolReject stops what the peer does not speak.
func (l *link) receiveProtocolReject(p packet) {
	if l.lcp.state != Opened || len(p.data) < 2 {
		return
	}
	switch Protocol(binary.BigEndian.Uint16(p.data)) {
	case ProtoLCP:
		l.lcp.handle(RXJMinus)
	case ProtoIPCP:
		if l.phase == phaseNetwork {
			l.ipcp.handle(RXJMinus)
		}
	case ProtoPAP, ProtoCHAP:
		if l.phase == phaseAuthenticate {
			l.fail(fmt.Errorf("the peer does not speak the authentication that it asked for: %w", ErrNegotiation))
		}
	default:
		l.lcp.handle(RXJPlus)
	}
}
