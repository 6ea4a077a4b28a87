package env

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"sync"

	"minato/agent/netstack"
	"minato/agent/netstack/capture"
)

// userspace is an internet of userspace stacks: the relay at 203.0.113.1, clients at 198.51.100.1 and up (the documentation's
// addresses, RFC 5737). Every packet is captured.
type userspace struct {
	sw      *netstack.Switch
	relay   *netstack.Stack
	capture string

	mu      sync.Mutex // guards clients
	clients map[int]*netstack.Stack
}

var _ Internet = (*userspace)(nil)

// UserspaceRelay is the address of the relay there.
var UserspaceRelay = netip.AddrFrom4([4]byte{203, 0, 113, 1})

func (u *userspace) Listen(network, address string) (net.Listener, error) {
	return u.relay.Listen(network, address)
}

func (u *userspace) Relay() netip.Addr { return UserspaceRelay }

func (u *userspace) Capture() string { return u.capture }

func (u *userspace) Client(n int) (Host, error) {
	if n < 0 || n > 250 {
		return Host{}, fmt.Errorf("client %d: the userspace internet has clients 0 to 250", n)
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	addr := netip.AddrFrom4([4]byte{198, 51, 100, byte(n + 1)})
	stack := u.clients[n]
	if stack == nil {
		var err error
		if stack, err = u.sw.Host(addr); err != nil {
			return Host{}, err
		}
		u.clients[n] = stack
	}
	return Host{Addr: addr, DialContext: stack.DialContext}, nil
}

// startInternet makes the internet side that the configuration asks for.
func (e *Env) startInternet() error {
	switch e.Net {
	case Kernel:
		e.Internet = &kernel{}
		return nil
	case Namespace:
		return e.startNamespace()
	case Userspace:
		return e.startUserspace()
	}
	return fmt.Errorf("net %q: one of %s, %s, %s", e.Net, Kernel, Namespace, Userspace)
}

func (e *Env) startUserspace() error {
	path := filepath.Join(e.Dir, "internet.pcapng")
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	recorder, err := capture.New(f)
	if err != nil {
		return errors.Join(err, f.Close())
	}
	e.stops = append(e.stops, func() error { return errors.Join(recorder.Flush(), f.Close()) })
	sw := netstack.NewSwitch(netstack.SwitchConfig{
		Capture: func(packet []byte) { recorder.Packet(0, capture.Unknown, packet) },
	})
	u := &userspace{sw: sw, capture: path, clients: map[int]*netstack.Stack{}}
	if u.relay, err = sw.Host(UserspaceRelay); err != nil {
		return err
	}
	e.Internet = u
	return e.run(context.Background(), "userspace internet", sw.Ready(), sw.Run)
}
