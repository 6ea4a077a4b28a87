package netstack

import (
	"context"
	"net"
	"net/netip"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience is how long a test waits for what should take milliseconds: the machine may be busy.
const patience = 60 * time.Second

var (
	addrA  = netip.MustParseAddr("10.0.0.1")
	addrB  = netip.MustParseAddr("10.0.0.2")
	addrA6 = netip.MustParseAddr("fd00::1")
	addrB6 = netip.MustParseAddr("fd00::2")
)

// startSwitch runs a switch until the test ends.
func startSwitch(t testing.TB, cfg SwitchConfig) *Switch {
	t.Helper()
	w := NewSwitch(cfg)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- w.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	<-w.Ready()
	return w
}

func addHost(t testing.TB, w *Switch, addrs ...netip.Addr) *Stack {
	t.Helper()
	h, err := w.Host(addrs...)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// twoHosts are A and B, each with an IPv4 and an IPv6 address.
func twoHosts(t testing.TB) (a, b *Stack) {
	t.Helper()
	w := startSwitch(t, SwitchConfig{})
	return addHost(t, w, addrA, addrA6), addHost(t, w, addrB, addrB6)
}

func testContext(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return ctx
}

// connPair gives both ends of a connection from a to b.
func connPair(t testing.TB, a, b *Stack, address string) (dialled, accepted *Conn) {
	t.Helper()
	l, err := b.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	type result struct {
		c   net.Conn
		err error
	}
	ch := make(chan result, 1)
	go func() { c, err := l.Accept(); ch <- result{c, err} }()
	c, err := a.DialContext(testContext(t), "tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	r := <-ch
	if r.err != nil {
		t.Fatal(r.err)
	}
	t.Cleanup(func() { c.Close(); r.c.Close() })
	for _, c := range []net.Conn{c, r.c} {
		c.SetDeadline(time.Now().Add(patience))
	}
	return c.(*Conn), r.c.(*Conn)
}
