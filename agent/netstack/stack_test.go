package netstack

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"testing"
	"time"
)

type netipAddr = netip.Addr

// runStack runs one host until the test ends.
func runStack(t testing.TB, cfg Config) *Stack {
	t.Helper()
	s, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	<-s.Ready()
	return s
}

func TestNewRefuses(t *testing.T) {
	out := func([][]byte) error { return nil }
	tests := []struct {
		name string
		cfg  Config
		want string
	}{
		{"no address", Config{Output: out}, "a host needs at least one address"},
		{"zero address", Config{Addrs: []netip.Addr{{}}, Output: out}, `address "invalid IP" cannot be a host's`},
		{"multicast", Config{Addrs: []netip.Addr{netip.MustParseAddr("224.0.0.1")}, Output: out}, `address "224.0.0.1" cannot be a host's`},
		{"twice", Config{Addrs: []netip.Addr{addrA, addrA}, Output: out}, `address "10.0.0.1" is given twice`},
		{"MTU", Config{Addrs: []netip.Addr{addrA}, MTU: 67, Output: out}, "MTU 67 is outside 68..65535"},
		{"queue", Config{Addrs: []netip.Addr{addrA}, Queue: -1, Output: out}, "queue of -1 packets: it must be positive"},
		{"no output", Config{Addrs: []netip.Addr{addrA}}, "a host needs an Output"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := New(tt.cfg)
			if err == nil || err.Error() != tt.want {
				t.Errorf("error %v, want %q", err, tt.want)
			}
		})
	}
}

// TestCloseWithoutRun is a host that never ran: nothing may stay behind (TestMain looks), and nothing may be sent.
func TestCloseWithoutRun(t *testing.T) {
	s, err := New(Config{Addrs: []netip.Addr{addrA}, Output: func([][]byte) error { t.Error("something was sent"); return nil }})
	if err != nil {
		t.Fatal(err)
	}
	l, err := s.Listen("tcp", ":80")
	if err != nil {
		t.Fatal(err)
	}
	got := make(chan error, 1)
	go func() { _, err := l.Accept(); got <- err }()
	s.Close()
	s.Close()
	if err := <-got; !errors.Is(err, net.ErrClosed) {
		t.Errorf("accept: %v", err)
	}
	if err := s.Run(context.Background()); err == nil {
		t.Error("a closed host ran")
	}
}

// TestEndCutsAll ends a host that has connections in every state; its peer must hear of it.
func TestEndCutsAll(t *testing.T) {
	w := startSwitch(t, SwitchConfig{})
	a, b := addHost(t, w, addrA), addHost(t, w, addrB)
	c1, s1 := connPair(t, a, b, "10.0.0.2:0") // established
	c2, s2 := connPair(t, a, b, "10.0.0.2:0") // closing on one side
	c2.Close()
	c3, s3 := connPair(t, a, b, "10.0.0.2:0") // TIME-WAIT on one side
	c3.CloseWrite()
	io.Copy(io.Discard, s3)
	s3.Close()
	io.Copy(io.Discard, c3)
	l, err := a.Listen("tcp", ":80")
	if err != nil {
		t.Fatal(err)
	}
	p, err := a.ListenPacket("udp", ":53")
	if err != nil {
		t.Fatal(err)
	}
	waiting := make(chan error, 3)
	go func() { _, err := l.Accept(); waiting <- err }()
	go func() { _, _, err := p.ReadFrom(make([]byte, 1)); waiting <- err }()
	go func() { _, err := c1.Read(make([]byte, 1)); waiting <- err }()

	a.Close()
	for range 3 {
		if err := <-waiting; err == nil || err == io.EOF {
			t.Errorf("a waiting call ended with %v", err)
		}
	}
	if _, err := s1.Read(make([]byte, 1)); err == nil || err == io.EOF {
		t.Errorf("the peer was not told: %v", err)
	}
	s2.Close()
	if _, err := a.DialContext(context.Background(), "tcp", "10.0.0.2:1"); !errors.Is(err, net.ErrClosed) {
		t.Errorf("dialling afterwards: %v", err)
	}
	if _, err := a.Listen("tcp", ":81"); !errors.Is(err, net.ErrClosed) {
		t.Errorf("listening afterwards: %v", err)
	}
	a.Deliver(make([]byte, 40))
}

func TestListenErrors(t *testing.T) {
	a, _ := twoHosts(t)
	l, err := a.Listen("tcp", "10.0.0.1:80")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.Listen("tcp", "10.0.0.1:80"); err == nil {
		t.Error("two listeners on one port")
	}
	if _, err := a.Listen("tcp", "10.0.0.9:80"); err == nil {
		t.Error("a listener on somebody else's address")
	}
	l.Close()
	if err := l.Close(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("second close: %v", err)
	}
	again, err := a.Listen("tcp", "10.0.0.1:80")
	if err != nil {
		t.Fatalf("the port is not free again: %v", err)
	}
	again.Close()
}

func TestUDP(t *testing.T) {
	a, b := twoHosts(t)
	server, err := b.ListenPacket("udp", "10.0.0.2:53")
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	c, err := a.DialContext(testContext(t), "udp", "10.0.0.2:53")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(patience))
	server.SetDeadline(time.Now().Add(patience))
	if _, err := c.Write([]byte("ask")); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 100)
	n, from, err := server.ReadFrom(buf)
	if err != nil || string(buf[:n]) != "ask" {
		t.Fatalf("got %q, %v", buf[:n], err)
	}
	if _, err := server.WriteTo([]byte("answer"), from); err != nil {
		t.Fatal(err)
	}
	if n, err = c.Read(buf); err != nil || string(buf[:n]) != "answer" {
		t.Fatalf("got %q, %v", buf[:n], err)
	}
	c.SetReadDeadline(time.Unix(1, 0))
	if _, err := c.Read(buf); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("read: %v", err)
	}
}
