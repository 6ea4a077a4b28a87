package core

import (
	"fmt"
	"net"
	"net/netip"
	"strings"
	"time"
)

// Protocol is what a platform service speaks below its own.
type Protocol string

// The protocols of platform services.
const (
	TCP Protocol = "tcp"
	UDP Protocol = "udp"
)

const (
	platformIdle  = 5 * time.Minute // as long as NATs keep UDP flows (RFC 4787, REQ-5, the recommended value)
	platformFlows = 128             // of one device to one service
	platformDial  = 10 * time.Second
)

// PlatformService is the door out of the network: an address and port inside that leads to a listener of the host. The listener is told who
// the device is by a PROXY protocol header, version 2, with the device's address as source and Addr as destination: over TCP before the first
// byte of the connection, over UDP at the beginning of each datagram to the host (family DGRAM). What the listener sends has no header.
type PlatformService struct {
	Addr     netip.AddrPort // inside the network; several services may share the address
	Protocol Protocol
	Name     string // what the network's name servers call the address, such as "beam.soracom.io"; "": nothing
	Target   string // where the host listens: IP:PORT, or localhost:PORT
}

// ParsePlatform reads a service from a line of text: [NAME@]IP:PORT/PROTO=ADDR, such as 100.127.127.100:8888/tcp=127.0.0.1:8888.
func ParsePlatform(text string) (PlatformService, error) {
	var s PlatformService
	bad := func(format string, args ...any) (PlatformService, error) {
		return PlatformService{}, fmt.Errorf("platform service %q: %w", text, fmt.Errorf(format, args...))
	}
	rest := text
	if name, after, ok := strings.Cut(text, "@"); ok {
		if name == "" {
			return bad("the name before @ is empty")
		}
		s.Name, rest = name, after
	}
	inside, target, ok := strings.Cut(rest, "=")
	if !ok {
		return bad("want [NAME@]IP:PORT/PROTO=ADDR")
	}
	addr, protocol, ok := strings.Cut(inside, "/")
	if !ok {
		return bad("want /tcp or /udp after the port")
	}
	var err error
	if s.Addr, err = netip.ParseAddrPort(addr); err != nil {
		return bad("address %q: want IP:PORT", addr)
	}
	s.Protocol, s.Target = Protocol(protocol), target
	if err := s.validate(); err != nil {
		return bad("%w", err)
	}
	return s, nil
}

func (s *PlatformService) validate() error {
	if err := checkHostAddr(s.Addr.Addr()); err != nil || s.Addr.Port() == 0 {
		return fmt.Errorf("address %q: want an IPv4 host address and a port from 1", s.Addr)
	}
	if s.Protocol != TCP && s.Protocol != UDP {
		return fmt.Errorf("protocol %q: want tcp or udp", s.Protocol)
	}
	if s.Name != "" && !isHostName(s.Name) {
		return fmt.Errorf("name %q: want a host name", s.Name)
	}
	if _, err := s.target(); err != nil {
		return err
	}
	return nil
}

// target is where the host listens.
func (s *PlatformService) target() (netip.AddrPort, error) {
	host, port, err := net.SplitHostPort(s.Target)
	if host == "localhost" {
		host = "127.0.0.1"
	}
	ap, perr := netip.ParseAddrPort(net.JoinHostPort(host, port))
	if err != nil || perr != nil || ap.Port() == 0 || ap.Addr().IsUnspecified() || ap.Addr().IsMulticast() {
		return ap, fmt.Errorf("target %q: want IP:PORT or localhost:PORT", s.Target)
	}
	return ap, nil
}

func checkHostAddr(a netip.Addr) error {
	if !a.Is4() || a.IsUnspecified() || a.IsMulticast() || a.IsLoopback() || a == netip.AddrFrom4([4]byte{255, 255, 255, 255}) {
		return fmt.Errorf("address %q: want an IPv4 host address", a)
	}
	return nil
}

// isHostName is RFC 1123 section 2.1, with underscores.
func isHostName(name string) bool {
	if len(name) > 253 {
		return false
	}
	for label := range strings.SplitSeq(name, ".") {
		if !isLabel(label) || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
	}
	return true
}

// validatePlatform checks the services together.
func (c *Config) validatePlatform() error {
	for i := range c.Platform {
		s := &c.Platform[i]
		if err := s.validate(); err != nil {
			return fmt.Errorf("platform service %d: %w", i, err)
		}
		for _, a := range c.DNS {
			if s.Addr == netip.AddrPortFrom(a, dnsPort) {
				return fmt.Errorf("platform service %d: %s is a name server's", i, s.Addr)
			}
		}
		for _, other := range c.Platform[:i] {
			if other.Addr == s.Addr && other.Protocol == s.Protocol {
				return fmt.Errorf("platform service %d: %s/%s is another service's", i, s.Addr, s.Protocol)
			}
		}
	}
	return nil
}

// openPlatform has the session's gateway listen for the services.
func (s *Session) openPlatform() error {
	for i := range s.core.cfg.Platform {
		service := &s.core.cfg.Platform[i]
		target, err := service.target()
		if err != nil {
			return err
		}
		if service.Protocol == UDP {
			conn, err := s.gateway.ListenPacket("udp4", service.Addr.String())
			if err != nil {
				return fmt.Errorf("serving %s/udp: %w", service.Addr, err)
			}
			s.core.wg.Go(func() { s.carryDatagrams(service, target, conn) })
			continue
		}
		l, err := s.gateway.Listen("tcp4", service.Addr.String())
		if err != nil {
			return fmt.Errorf("serving %s/tcp: %w", service.Addr, err)
		}
		s.core.wg.Go(func() {
			s.acceptFlows(l, platformFlows, func(device *doorConn) { s.carryStream(service, target, device) })
		})
	}
	return nil
}
