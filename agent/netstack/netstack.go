// Package netstack is TCP/IP in user space (gVisor) over any link that carries IP packets: the agent's end of a PPP link, the
// closed network's gateway, and the hosts of the testbench's userspace internet.
//
// Packets flow like this, and nowhere else:
//
//	link -> Deliver, or Gather and Flush -> gVisor -> Conn.Read
//	Conn.Write -> gVisor -> queue (Config.Queue) -> Run's pump -> Config.Output -> link
//
// A Stack holds goroutines from New on, so it must be ended: by the context of Run, or by Close where Run is never called.
package netstack

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv4"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv6"
	"gvisor.dev/gvisor/pkg/tcpip/stack"
	"gvisor.dev/gvisor/pkg/tcpip/transport/icmp"
	"gvisor.dev/gvisor/pkg/tcpip/transport/tcp"
	"gvisor.dev/gvisor/pkg/tcpip/transport/udp"
)

const (
	defaultMTU   = 1500
	defaultQueue = 256
	minMTU       = 68 // RFC 791: every link carries 68 octets
	maxMTU       = 65535
	nicID        = tcpip.NICID(1)
)

// Config describes one host on one link.
type Config struct {
	Addrs  []netip.Addr // its addresses, IPv4 or IPv6; at least one
	MTU    int          // 0: 1500
	Queue  int          // packets that wait for the link before the stack drops; 0: 256. This length is the bufferbloat
	Logger *slog.Logger // nil: silent

	// Output sends packets to the link: all that waited, some tens a call, from one goroutine. They are valid during the call only.
	// An error is counted, and the packets are lost as on any IP network.
	Output func(packets [][]byte) error
}

// Stack is one host. Make it with New, hand the link's packets to Deliver, and call Run once.
type Stack struct {
	cfg    Config
	log    *slog.Logger
	stack  *stack.Stack
	link   *link
	v4, v6 bool
	stats  counters
	batch  batch // the pump's

	gatherMu sync.Mutex // held while packets are delivered by Gather and Flush
	gathered gathered

	ready   chan struct{}
	ctx     context.Context // ends when the host goes, first thing: blocked calls return net.ErrClosed
	cancel  context.CancelFunc
	claimed atomic.Bool   // by Run or Close, whichever comes first: it ends the host
	ended   chan struct{} // all is gone

	// mu is held for reading while the stack is in use (a packet coming in, an endpoint being made) and for writing to end it,
	// because gVisor waits on destruction only for the endpoints that it knows then.
	mu     sync.RWMutex
	closed bool
}

// New builds the host. Nothing is sent before Run. End it by Run's context, or by Close.
func New(cfg Config) (*Stack, error) {
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	s := &Stack{
		cfg:   cfg,
		log:   cfg.Logger,
		ready: make(chan struct{}),
		ended: make(chan struct{}),
		stack: stack.New(stack.Options{
			NetworkProtocols:   []stack.NetworkProtocolFactory{ipv4.NewProtocol, ipv6.NewProtocol},
			TransportProtocols: []stack.TransportProtocolFactory{tcp.NewProtocolCUBIC, udp.NewProtocol, icmp.NewProtocol4, icmp.NewProtocol6},
			HandleLocal:        true, // a host may talk to its own address
		}),
	}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.link = newLink(cfg.Queue, cfg.MTU, &s.stats.dropped, s.ctx.Done())
	if err := s.configure(); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// validate fills in the defaults.
func (c *Config) validate() error {
	if len(c.Addrs) == 0 {
		return errors.New("a host needs at least one address")
	}
	for i, a := range c.Addrs {
		if !a.IsValid() || a.IsUnspecified() || a.IsMulticast() {
			return fmt.Errorf("address %q cannot be a host's", a)
		}
		for _, b := range c.Addrs[:i] {
			if a == b {
				return fmt.Errorf("address %q is given twice", a)
			}
		}
	}
	if c.MTU == 0 {
		c.MTU = defaultMTU
	}
	if c.MTU < minMTU || c.MTU > maxMTU {
		return fmt.Errorf("MTU %d is outside %d..%d", c.MTU, minMTU, maxMTU)
	}
	if c.Queue == 0 {
		c.Queue = defaultQueue
	}
	if c.Queue < 0 {
		return fmt.Errorf("queue of %d packets: it must be positive", c.Queue)
	}
	if c.Output == nil {
		return errors.New("a host needs an Output")
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return nil
}

// configure adds the link, the addresses and a default route for each family.
func (s *Stack) configure() error {
	if err := s.tuneTCP(); err != nil {
		return err
	}
	if err := s.stack.CreateNIC(nicID, s.link); err != nil {
		return fmt.Errorf("adding the link: %w", convert(err))
	}
	for _, a := range s.cfg.Addrs {
		a = a.Unmap().WithZone("")
		pa := tcpip.ProtocolAddress{Protocol: protocolOf(a), AddressWithPrefix: tcpAddr(a).WithPrefix()}
		if err := s.stack.AddProtocolAddress(nicID, pa, stack.AddressProperties{}); err != nil {
			return fmt.Errorf("adding address %q: %w", a, convert(err))
		}
		if a.Is4() && !s.v4 {
			s.v4 = true
			s.stack.AddRoute(tcpip.Route{Destination: defaultSubnet(netip.IPv4Unspecified()), NIC: nicID})
		}
		if a.Is6() && !s.v6 {
			s.v6 = true
			s.stack.AddRoute(tcpip.Route{Destination: defaultSubnet(netip.IPv6Unspecified()), NIC: nicID})
		}
	}
	return nil
}

// enter is held while gVisor makes an endpoint or takes a packet; leave it with s.mu.RUnlock.
func (s *Stack) enter() error {
	s.mu.RLock()
	if s.closed {
		s.mu.RUnlock()
		return net.ErrClosed
	}
	return nil
}
