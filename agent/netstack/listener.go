package netstack

import (
	"net"
	"net/netip"
	"sync"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv4"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv6"
	"gvisor.dev/gvisor/pkg/tcpip/transport/tcp"
	"gvisor.dev/gvisor/pkg/tcpip/transport/udp"
	"gvisor.dev/gvisor/pkg/waiter"
)

// backlog is how many connections may wait for Accept: enough for a burst, small enough that a service that hangs is noticed.
const backlog = 128

// Listen announces on a local TCP address ("10.1.2.3:80", ":80"; port 0 picks a free one). The listener's errors and its connections' are net's: net.ErrClosed, os.ErrDeadlineExceeded,
// syscall.ECONNREFUSED, syscall.ECONNRESET; connections have CloseRead and CloseWrite.
func (s *Stack) Listen(network, address string) (net.Listener, error) {
	l, err := s.listen(network, address)
	if err != nil {
		return nil, &net.OpError{Op: "listen", Net: network, Err: err}
	}
	return l, nil
}

func (s *Stack) listen(network, address string) (*listener, error) {
	f, err := parseNetwork(network, "tcp")
	if err != nil {
		return nil, err
	}
	local, err := f.parseAddress(address, true)
	if err != nil {
		return nil, err
	}
	if err := s.enter(); err != nil {
		return nil, err
	}
	defer s.mu.RUnlock()
	wq := new(waiter.Queue)
	ep, err := s.bind(f, local, wq)
	if err != nil {
		return nil, err
	}
	if terr := ep.Listen(backlog); terr != nil {
		ep.Close()
		return nil, convert(terr)
	}
	l := &listener{host: s, ep: ep, closed: make(chan struct{})}
	l.entry, l.incoming = waiter.NewChannelEntry(waiter.ReadableEvents | waiter.EventHUp)
	wq.EventRegister(&l.entry)
	if a, terr := ep.GetLocalAddress(); terr == nil {
		l.addr = net.TCPAddrFromAddrPort(addrPort(a))
	}
	return l, nil
}

// bind makes an endpoint on a local address. An unspecified one takes all families that the network name and the host have.
func (s *Stack) bind(f family, local netip.AddrPort, wq *waiter.Queue) (tcpip.Endpoint, error) {
	proto := protocolOf(local.Addr())
	dual := local.Addr().IsUnspecified() && f.v4 && f.v6
	if dual && !s.v6 {
		proto = ipv4.ProtocolNumber
	}
	transport := tcp.ProtocolNumber
	if f.transport == "udp" {
		transport = udp.ProtocolNumber
	}
	ep, terr := s.stack.NewEndpoint(transport, proto, wq)
	if terr != nil {
		return nil, convert(terr)
	}
	if proto == ipv6.ProtocolNumber {
		ep.SocketOptions().SetV6Only(!dual)
	}
	if terr := ep.Bind(fullAddr(local)); terr != nil {
		ep.Close()
		return nil, convert(terr)
	}
	return ep, nil
}

// listener is a listening TCP endpoint.
type listener struct {
	host     *Stack
	ep       tcpip.Endpoint
	addr     *net.TCPAddr
	entry    waiter.Entry
	incoming chan struct{}

	closeOnce sync.Once
	closed    chan struct{}
}

// Accept implements net.Listener.
func (l *listener) Accept() (net.Conn, error) {
	for {
		select {
		case <-l.closed:
			return nil, l.opError("accept", net.ErrClosed)
		case <-l.host.ctx.Done():
			return nil, l.opError("accept", net.ErrClosed)
		default:
		}
		var peer tcpip.FullAddress
		ep, wq, terr := l.ep.Accept(&peer)
		if terr == nil {
			select { // more may wait for another Accept, which shares this wake-up
			case l.incoming <- struct{}{}:
			default:
			}
			return newConn(l.host, ep, wq, addrPort(peer)), nil
		}
		if _, ok := terr.(*tcpip.ErrWouldBlock); !ok {
			if _, ok := terr.(*tcpip.ErrInvalidEndpointState); ok { // closed meanwhile
				return nil, l.opError("accept", net.ErrClosed)
			}
			return nil, l.opError("accept", convert(terr))
		}
		select {
		case <-l.incoming:
		case <-l.closed:
		case <-l.host.ctx.Done():
		}
	}
}

// Close implements net.Listener. Connections that wait for Accept are reset.
func (l *listener) Close() error {
	err := l.opError("close", net.ErrClosed)
	l.closeOnce.Do(func() {
		err = nil
		close(l.closed)
		l.ep.Close()
	})
	return err
}

// Addr implements net.Listener; it is a *net.TCPAddr.
func (l *listener) Addr() net.Addr { return l.addr }

func (l *listener) opError(op string, err error) error {
	return &net.OpError{Op: op, Net: "tcp", Addr: l.addr, Err: err}
}
