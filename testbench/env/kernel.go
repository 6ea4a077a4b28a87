package env

import (
	"context"
	"fmt"
	"net"
	"net/netip"
)

// kernel is loopback: the relay at 127.0.0.1, clients at 127.0.1.1 and up, all real sockets of this machine's kernel.
type kernel struct {
	capture *loopbackCapture // nil outside a namespace
}

var _ Internet = (*kernel)(nil)

func (k *kernel) Listen(network, address string) (net.Listener, error) {
	return net.Listen(network, address)
}

func (k *kernel) Relay() netip.Addr { return netip.AddrFrom4([4]byte{127, 0, 0, 1}) }

func (k *kernel) Client(n int) (Host, error) {
	if n < 0 || n > 250 {
		return Host{}, fmt.Errorf("client %d: loopback has clients 0 to 250", n)
	}
	addr := netip.AddrFrom4([4]byte{127, 0, 1, byte(n + 1)})
	return Host{Addr: addr, DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
		d := net.Dialer{LocalAddr: &net.TCPAddr{IP: addr.AsSlice()}}
		return d.DialContext(ctx, network, address)
	}}, nil
}

func (k *kernel) Capture() string {
	if k.capture == nil {
		return ""
	}
	return k.capture.path
}
