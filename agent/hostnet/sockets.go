package hostnet

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Interface is an interface of the system with this device's address in the closed network. Its sockets carry what comes in and goes
// out by the interface, and nothing else, whatever the routes are.
type Interface struct {
	Name string
	Addr netip.Addr
}

// DialContext connects through the interface, from its address. The address must be a literal.
func (i Interface) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	to, err := netip.ParseAddrPort(address)
	if err != nil {
		return nil, &net.OpError{Op: "dial", Net: network, Err: err}
	}
	d := net.Dialer{Control: bindTo(i.Name), KeepAliveConfig: keepAlive}
	if to.Addr() == i.Addr { // the device itself
		d.Control = bindTo(loopback)
	}
	d.LocalAddr = net.TCPAddrFromAddrPort(netip.AddrPortFrom(i.Addr, 0))
	if network == "udp" || network == "udp4" {
		d.LocalAddr = net.UDPAddrFromAddrPort(netip.AddrPortFrom(i.Addr, 0))
	}
	return d.DialContext(ctx, network, address)
}

const loopback = "lo"

// As netstack's: a radio link that is gone for a minute often comes back, and each question costs data.
var keepAlive = net.KeepAliveConfig{Enable: true, Idle: time.Minute, Interval: 15 * time.Second, Count: 8}

const userTimeout = 3 * time.Minute // RFC 5482

// Listen announces on a TCP port of the interface's address. It hears the interface, and the device's own programs.
func (i Interface) Listen(network, address string) (net.Listener, error) {
	l := &listener{conns: make(chan net.Conn), done: make(chan struct{})}
	for _, name := range []string{i.Name, loopback} {
		c := net.ListenConfig{Control: bindTo(name), KeepAliveConfig: keepAlive}
		one, err := c.Listen(context.Background(), network, address)
		if err != nil {
			l.Close()
			if errors.Is(err, syscall.EADDRINUSE) {
				err = fmt.Errorf("%w: another program of the device has this port, perhaps on all addresses", err)
			}
			return nil, err
		}
		l.sockets = append(l.sockets, one)
	}
	for _, one := range l.sockets {
		l.accepting.Go(func() { l.accept(one) }) // ends with the socket
	}
	return l, nil
}

// bindTo makes a socket of one interface. Since Linux 5.7 that needs no privilege.
func bindTo(name string) func(network, address string, c syscall.RawConn) error {
	return func(network, _ string, c syscall.RawConn) (err error) {
		cerr := c.Control(func(fd uintptr) {
			if err = unix.BindToDevice(int(fd), name); err == nil && strings.HasPrefix(network, "tcp") {
				err = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, int(userTimeout.Milliseconds()))
			}
		})
		if err != nil {
			err = fmt.Errorf("binding to interface %q: %w", name, err)
		}
		return errors.Join(cerr, err)
	}
}

// A listener joins those of two interfaces.
type listener struct {
	sockets   []net.Listener
	conns     chan net.Conn
	accepting sync.WaitGroup

	once sync.Once
	done chan struct{}
	err  error // of the first socket that failed, behind done
}

func (l *listener) accept(one net.Listener) {
	for {
		c, err := one.Accept()
		if err != nil {
			l.end(err)
			return
		}
		select {
		case l.conns <- c:
		case <-l.done:
			c.Close()
			return
		}
	}
}

func (l *listener) end(err error) {
	l.once.Do(func() {
		l.err = err
		close(l.done)
		for _, s := range l.sockets {
			s.Close()
		}
	})
}

// Accept implements net.Listener.
func (l *listener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.done:
		return nil, l.err
	}
}

// Close implements net.Listener.
func (l *listener) Close() error {
	l.end(net.ErrClosed)
	l.accepting.Wait()
	return nil
}

// Addr implements net.Listener.
func (l *listener) Addr() net.Addr { return l.sockets[0].Addr() }
