package core

import (
	"fmt"
	"net"
	"net/netip"

	"golang.org/x/net/dns/dnsmessage"
)

const (
	dnsPort    = 53
	dnsMaximum = 512 // octets of a UDP message without EDNS (RFC 1035 section 2.3.4)
)

// listenNames opens the addresses that devices are told, on the session's gateway.
func (s *Session) listenNames() error {
	for _, a := range s.core.cfg.DNS {
		address := netip.AddrPortFrom(a, dnsPort).String()
		conn, err := s.gateway.ListenPacket("udp4", address)
		if err != nil {
			return fmt.Errorf("serving DNS on %q: %w", address, err)
		}
		s.core.wg.Go(func() { serveNames(conn) })
	}
	return nil
}

// serveNames answers until the gateway ends, and closes conn.
func serveNames(conn net.PacketConn) {
	defer conn.Close()
	buf := make([]byte, mtu)
	for {
		n, from, err := conn.ReadFrom(buf)
		if err != nil {
			return
		}
		if answer := answerQuery(buf[:n]); answer != nil {
			conn.WriteTo(answer, from) // an answer that is lost is asked for again
		}
	}
}

// answerQuery gives the reply to a query, nil for what is none. The network is closed and has no names of its own, so a query
// that is in order is refused (RFC 1035 section 4.1.1, RCODE 5), which a resolver takes at once as "ask elsewhere".
func answerQuery(query []byte) []byte {
	var p dnsmessage.Parser
	h, err := p.Start(query)
	if err != nil || h.Response {
		return nil // not even a header, or somebody's answer: replying to it could go on for ever
	}
	reply := dnsmessage.Message{Header: dnsmessage.Header{
		ID: h.ID, Response: true, OpCode: h.OpCode, RecursionDesired: h.RecursionDesired, RCode: dnsmessage.RCodeRefused,
	}}
	questions, err := p.AllQuestions()
	switch {
	case h.OpCode != 0:
		reply.RCode = dnsmessage.RCodeNotImplemented
	case err != nil || len(questions) != 1:
		reply.RCode = dnsmessage.RCodeFormatError
	default:
		reply.Questions = questions
	}
	b, err := reply.Pack()
	if err != nil || len(b) > dnsMaximum {
		return nil
	}
	return b
}
