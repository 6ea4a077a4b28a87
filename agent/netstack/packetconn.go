package netstack

import (
	"bytes"
	"net"
	"net/netip"
	"os"
	"sync"
	"time"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/waiter"
)

// ListenPacket announces on a local UDP address.
func (s *Stack) ListenPacket(network, address string) (net.PacketConn, error) {
	f, err := parseNetwork(network, "udp")
	if err != nil {
		return nil, &net.OpError{Op: "listen", Net: network, Err: err}
	}
	local, err := f.parseAddress(address, true)
	if err != nil {
		return nil, &net.OpError{Op: "listen", Net: network, Err: err}
	}
	c, err := s.openUDP(f, local, netip.AddrPort{})
	if err != nil {
		return nil, &net.OpError{Op: "listen", Net: network, Addr: net.UDPAddrFromAddrPort(local), Err: err}
	}
	return c, nil
}

func (s *Stack) dialUDP(f family, local, remote netip.AddrPort) (*packetConn, error) {
	if !local.IsValid() {
		zero := netip.IPv4Unspecified()
		if remote.Addr().Is6() {
			zero = netip.IPv6Unspecified()
		}
		f.v4, f.v6 = remote.Addr().Is4(), remote.Addr().Is6()
		local = netip.AddrPortFrom(zero, 0)
	}
	return s.openUDP(f, local, remote)
}

func (s *Stack) openUDP(f family, local, remote netip.AddrPort) (*packetConn, error) {
	if err := s.enter(); err != nil {
		return nil, err
	}
	defer s.mu.RUnlock()
	wq := new(waiter.Queue)
	ep, err := s.bind(f, local, wq)
	if err != nil {
		return nil, err
	}
	c := &packetConn{host: s, ep: ep, closed: make(chan struct{}), readUntil: newDeadline()}
	if remote.IsValid() {
		if terr := ep.Connect(fullAddr(remote)); terr != nil {
			ep.Close()
			return nil, convert(terr)
		}
		c.remote = net.UDPAddrFromAddrPort(remote)
	}
	c.entry, c.readable = waiter.NewChannelEntry(waiter.ReadableEvents | waiter.EventHUp | waiter.EventErr)
	wq.EventRegister(&c.entry)
	if a, terr := ep.GetLocalAddress(); terr == nil {
		c.local = net.UDPAddrFromAddrPort(addrPort(a))
	}
	return c, nil
}

// packetConn is a UDP endpoint. Writes do not wait: a datagram for which there is no room is lost, as UDP's are.
type packetConn struct {
	host          *Stack
	ep            tcpip.Endpoint
	local, remote *net.UDPAddr // remote is nil unless it was dialled

	closeOnce sync.Once
	closed    chan struct{}
	readUntil deadline

	readMu   sync.Mutex
	entry    waiter.Entry
	readable chan struct{}
}

var (
	_ net.PacketConn = (*packetConn)(nil)
	_ net.Conn       = (*packetConn)(nil)
)

// ReadFrom implements net.PacketConn. A datagram longer than p is cut.
func (c *packetConn) ReadFrom(p []byte) (int, net.Addr, error) {
	c.readMu.Lock()
	defer c.readMu.Unlock()
	until := c.readUntil.done()
	for {
		select {
		case <-until:
			return 0, nil, c.opError("read", os.ErrDeadlineExceeded)
		case <-c.closed:
			return 0, nil, c.opError("read", net.ErrClosed)
		case <-c.host.ctx.Done():
			return 0, nil, c.opError("read", net.ErrClosed)
		default:
		}
		w := tcpip.SliceWriter(p)
		res, terr := c.ep.Read(&w, tcpip.ReadOptions{NeedRemoteAddr: true})
		if terr == nil {
			return res.Count, net.UDPAddrFromAddrPort(addrPort(res.RemoteAddr)), nil
		}
		if _, ok := terr.(*tcpip.ErrWouldBlock); !ok {
			return 0, nil, c.opError("read", convert(terr))
		}
		select {
		case <-c.readable:
		case <-until:
		case <-c.closed:
		case <-c.host.ctx.Done():
		}
	}
}

// WriteTo implements net.PacketConn; addr must be a *net.UDPAddr.
func (c *packetConn) WriteTo(p []byte, addr net.Addr) (int, error) {
	ua, ok := addr.(*net.UDPAddr)
	if !ok || ua == nil {
		return 0, c.opError("write", &net.AddrError{Err: "want a UDP address", Addr: addr.String()})
	}
	ap := ua.AddrPort()
	to := fullAddr(netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port()))
	return c.send(p, tcpip.WriteOptions{To: &to})
}

func (c *packetConn) send(p []byte, opts tcpip.WriteOptions) (int, error) {
	select {
	case <-c.closed:
		return 0, c.opError("write", net.ErrClosed)
	default:
	}
	n, terr := c.ep.Write(bytes.NewReader(p), opts)
	if _, full := terr.(*tcpip.ErrWouldBlock); full {
		return len(p), nil
	}
	if terr != nil {
		return int(n), c.opError("write", convert(terr))
	}
	return int(n), nil
}

// Read implements net.Conn.
func (c *packetConn) Read(p []byte) (int, error) {
	n, _, err := c.ReadFrom(p)
	return n, err
}

// Write implements net.Conn, for a dialled endpoint.
func (c *packetConn) Write(p []byte) (int, error) { return c.send(p, tcpip.WriteOptions{}) }

// Close implements net.Conn.
func (c *packetConn) Close() error {
	err := c.opError("close", net.ErrClosed)
	c.closeOnce.Do(func() {
		err = nil
		close(c.closed)
		c.readUntil.stop()
		c.ep.Close()
	})
	return err
}

// LocalAddr implements net.Conn; it is a *net.UDPAddr.
func (c *packetConn) LocalAddr() net.Addr { return c.local }

// RemoteAddr implements net.Conn; nil when the endpoint was not dialled.
func (c *packetConn) RemoteAddr() net.Addr {
	if c.remote == nil {
		return nil
	}
	return c.remote
}

// SetDeadline implements net.Conn.
func (c *packetConn) SetDeadline(t time.Time) error { return c.SetReadDeadline(t) }

// SetReadDeadline implements net.Conn.
func (c *packetConn) SetReadDeadline(t time.Time) error {
	select {
	case <-c.closed:
		return c.opError("set", net.ErrClosed)
	default:
	}
	c.readUntil.set(t)
	return nil
}

// SetWriteDeadline implements net.Conn. Writes do not wait, so there is nothing to set.
func (c *packetConn) SetWriteDeadline(time.Time) error { return nil }

func (c *packetConn) opError(op string, err error) error {
	e := &net.OpError{Op: op, Net: "udp", Source: c.local, Err: err}
	if c.remote != nil {
		e.Addr = c.remote
	}
	return e
}
