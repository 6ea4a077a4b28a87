package core

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"time"
)

const (
	dnsPort    = 53
	dnsQuery   = 4096             // octets of a query over TCP: no name needs more
	dnsIdle    = 10 * time.Second // RFC 7766 section 6.2.3: a few seconds
	dnsClients = 8                // connections of a device to one name server
)

var errFormat = errors.New("not one question in order")

// listenNames opens the addresses that devices are told, on the session's gateway.
func (s *Session) listenNames() error {
	for _, a := range s.core.cfg.DNS {
		address := netip.AddrPortFrom(a, dnsPort).String()
		conn, err := s.gateway.ListenPacket("udp4", address)
		if err != nil {
			return fmt.Errorf("serving DNS on %q: %w", address, err)
		}
		s.core.wg.Go(func() { s.serveNames(conn) })
		l, err := s.gateway.Listen("tcp4", address)
		if err != nil {
			return fmt.Errorf("serving DNS on %q: %w", address, err)
		}
		s.core.wg.Go(func() { s.acceptFlows(l, dnsClients, s.serveNameStream) })
	}
	return nil
}

// serveNames answers over UDP until the gateway ends, and closes conn.
func (s *Session) serveNames(conn net.PacketConn) {
	defer conn.Close()
	buf := make([]byte, mtu)
	for {
		n, from, err := conn.ReadFrom(buf)
		if err != nil {
			return
		}
		if answer := s.core.names.answer(buf[:n], dnsMinimum); answer != nil {
			conn.WriteTo(answer, from) // an answer that is lost is asked for again
		}
	}
}

// serveNameStream answers over TCP, where each message has its length before it (RFC 1035 section 4.2.2).
func (s *Session) serveNameStream(conn *doorConn) {
	buf := make([]byte, 2+dnsQuery)
	for {
		conn.SetDeadline(time.Now().Add(dnsIdle))
		if _, err := io.ReadFull(conn, buf[:2]); err != nil {
			return
		}
		n := int(binary.BigEndian.Uint16(buf))
		if n > dnsQuery {
			return
		}
		if _, err := io.ReadFull(conn, buf[2:2+n]); err != nil {
			return
		}
		answer := s.core.names.answer(buf[2:2+n], dnsMaximum)
		if answer == nil {
			return
		}
		if _, err := conn.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(answer))), answer...)); err != nil {
			return
		}
	}
}
