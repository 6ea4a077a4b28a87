package netstack

import (
	"context"
	"net"
	"net/netip"
	"strings"
	"syscall"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/transport/tcp"
	"gvisor.dev/gvisor/pkg/waiter"
)

// DialContext connects to an address (literals only: names are resolved by the caller). It is a drop-in for net.Dialer's.
// A refused dial is syscall.ECONNREFUSED, an unanswered one a net.Error with Timeout() true (or the context's error).
func (s *Stack) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	return s.DialFrom(ctx, netip.AddrPort{}, network, address)
}

// DialFrom is DialContext from a chosen local address.
func (s *Stack) DialFrom(ctx context.Context, local netip.AddrPort, network, address string) (net.Conn, error) {
	transport := "tcp"
	if strings.HasPrefix(network, "udp") {
		transport = "udp"
	}
	f, err := parseNetwork(network, transport)
	if err != nil {
		return nil, &net.OpError{Op: "dial", Net: network, Err: err}
	}
	remote, err := f.parseAddress(address, false)
	if err != nil {
		return nil, &net.OpError{Op: "dial", Net: network, Err: err}
	}
	if transport == "udp" {
		c, err := s.dialUDP(f, local, remote)
		if err != nil {
			return nil, &net.OpError{Op: "dial", Net: network, Addr: net.UDPAddrFromAddrPort(remote), Err: err}
		}
		return c, nil
	}
	c, err := s.dialTCP(ctx, local, remote)
	if err != nil {
		return nil, &net.OpError{Op: "dial", Net: network, Addr: net.TCPAddrFromAddrPort(remote), Err: err}
	}
	return c, nil
}

func (s *Stack) dialTCP(ctx context.Context, local, remote netip.AddrPort) (*Conn, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	wq := new(waiter.Queue)
	entry, changed := waiter.NewChannelEntry(waiter.WritableEvents | waiter.EventHUp | waiter.EventErr)
	wq.EventRegister(&entry)
	defer wq.EventUnregister(&entry)
	ep, terr, err := s.connect(local, remote, wq)
	if err != nil {
		return nil, err
	}
	if _, ok := terr.(*tcpip.ErrConnectStarted); ok {
		select {
		case <-changed:
			terr = ep.LastError()
		case <-ctx.Done():
			ep.Abort()
			ep.Close()
			return nil, ctx.Err()
		case <-s.ctx.Done():
			ep.Close()
			return nil, net.ErrClosed
		}
	}
	if terr != nil {
		ep.Close()
		if s.ctx.Err() != nil {
			return nil, net.ErrClosed
		}
		return nil, dialError(terr)
	}
	return newConn(s, ep, wq, remote), nil
}

// connect makes an endpoint and sends the SYN.
func (s *Stack) connect(local, remote netip.AddrPort, wq *waiter.Queue) (tcpip.Endpoint, tcpip.Error, error) {
	if err := s.enter(); err != nil {
		return nil, nil, err
	}
	defer s.mu.RUnlock()
	ep, terr := s.stack.NewEndpoint(tcp.ProtocolNumber, protocolOf(remote.Addr()), wq)
	if terr != nil {
		return nil, nil, convert(terr)
	}
	if local.IsValid() {
		if terr := ep.Bind(fullAddr(local)); terr != nil {
			ep.Close()
			return nil, nil, convert(terr)
		}
	}
	return ep, ep.Connect(fullAddr(remote)), nil
}

// dialError is convert, but a reset in answer to a SYN is a refusal.
func dialError(terr tcpip.Error) error {
	if err := convert(terr); err != syscall.ECONNRESET {
		return err
	}
	return syscall.ECONNREFUSED
}
