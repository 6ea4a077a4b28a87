package netstack

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

func TestTransfer(t *testing.T) {
	for _, address := range []string{"10.0.0.2:0", "[fd00::2]:0"} {
		t.Run(address, func(t *testing.T) {
			a, b := twoHosts(t)
			c, s := connPair(t, a, b, address)
			want := make([]byte, 3<<20)
			rand.Read(want)

			sent := make(chan error, 1)
			go func() {
				_, err := c.ReadFrom(bytes.NewReader(want))
				sent <- errors.Join(err, c.CloseWrite())
			}()
			var got bytes.Buffer
			if _, err := s.WriteTo(&got); err != nil {
				t.Fatal(err)
			}
			if err := <-sent; err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got.Bytes(), want) {
				t.Fatalf("%d bytes arrived, not those %d that were sent", got.Len(), len(want))
			}
			// the other direction is still open
			if _, err := s.Write([]byte("bye")); err != nil {
				t.Fatal(err)
			}
			s.Close()
			rest, err := io.ReadAll(c)
			if err != nil || string(rest) != "bye" {
				t.Fatalf("after the half-close: %q, %v", rest, err)
			}
		})
	}
}

func TestAddresses(t *testing.T) {
	a, b := twoHosts(t)
	c, s := connPair(t, a, b, "10.0.0.2:0")
	if got, want := c.LocalAddr().String(), s.RemoteAddr().String(); got != want {
		t.Errorf("local %s, seen as %s", got, want)
	}
	if got, want := c.RemoteAddr().String(), s.LocalAddr().String(); got != want {
		t.Errorf("remote %s, seen as %s", got, want)
	}
	for _, addr := range []net.Addr{c.LocalAddr(), c.RemoteAddr(), s.LocalAddr(), s.RemoteAddr()} {
		if _, ok := addr.(*net.TCPAddr); !ok {
			t.Errorf("%v is a %T", addr, addr)
		}
	}
}

func TestListenAnyFamily(t *testing.T) {
	a, b := twoHosts(t)
	l, err := b.Listen("tcp", ":80")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for _, address := range []string{"10.0.0.2:80", "[fd00::2]:80"} {
		c, err := a.DialContext(testContext(t), "tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		s, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		if got := s.LocalAddr().String(); got != address {
			t.Errorf("accepted on %s, want %s", got, address)
		}
		c.Close()
		s.Close()
	}
}

func TestDialErrors(t *testing.T) {
	a, _ := twoHosts(t)
	short, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	gone, cancel := context.WithCancel(context.Background())
	cancel()
	tests := []struct {
		name    string
		ctx     context.Context
		network string
		address string
		want    error
		timeout bool
	}{
		{"refused", testContext(t), "tcp", "10.0.0.2:9", syscall.ECONNREFUSED, false},
		{"refused on IPv6", testContext(t), "tcp", "[fd00::2]:9", syscall.ECONNREFUSED, false},
		{"nobody's address", testContext(t), "tcp4", "10.0.0.3:9", syscall.EHOSTUNREACH, false},
		{"nobody's IPv6 address", testContext(t), "tcp6", "[fd00::3]:9", syscall.ENETUNREACH, false},
		{"no answer", short, "tcp", "224.0.0.1:9", nil, false},
		{"cancelled", gone, "tcp", "10.0.0.2:9", context.Canceled, false},
		{"a name", testContext(t), "tcp", "localhost:9", nil, false},
		{"no port", testContext(t), "tcp", "10.0.0.2", nil, false},
		{"wrong family", testContext(t), "tcp6", "10.0.0.2:9", nil, false},
		{"unknown network", testContext(t), "sctp", "10.0.0.2:9", net.UnknownNetworkError("sctp"), false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, err := a.DialContext(tt.ctx, tt.network, tt.address)
			if err == nil {
				c.Close()
				t.Fatal("it connected")
			}
			if tt.want != nil && !errors.Is(err, tt.want) {
				t.Errorf("error %v, want %v", err, tt.want)
			}
			var op *net.OpError
			if !errors.As(err, &op) || op.Op != "dial" {
				t.Errorf("%T is not a dial's *net.OpError", err)
			}
		})
	}
}

// TestDialUnanswered dials through a link that loses everything.
func TestDialUnanswered(t *testing.T) {
	s := runStack(t, Config{Addrs: []netipAddr{addrA}, Output: func([][]byte) error { return nil }})
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	_, err := s.DialContext(ctx, "tcp", "10.0.0.2:80")
	var ne net.Error
	if !errors.Is(err, context.DeadlineExceeded) || !errors.As(err, &ne) || !ne.Timeout() {
		t.Fatalf("error %v (%T), want a timeout", err, err)
	}
}

func TestDeadlines(t *testing.T) {
	a, b := twoHosts(t)
	c, _ := connPair(t, a, b, "10.0.0.2:0")

	c.SetReadDeadline(time.Now().Add(10 * time.Millisecond))
	_, err := c.Read(make([]byte, 1))
	var ne net.Error
	if !errors.Is(err, os.ErrDeadlineExceeded) || !errors.As(err, &ne) || !ne.Timeout() {
		t.Fatalf("read: %v, want a deadline", err)
	}
	if _, err := c.WriteTo(io.Discard); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("WriteTo: %v, want a deadline", err)
	}

	// a deadline set while a Read waits ends it
	c.SetReadDeadline(time.Time{})
	got := make(chan error, 1)
	go func() { _, err := c.Read(make([]byte, 1)); got <- err }()
	c.SetReadDeadline(time.Unix(1, 0))
	if err := <-got; !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("waiting read: %v, want a deadline", err)
	}

	// a peer that does not read fills the buffers
	c.SetWriteDeadline(time.Now().Add(200 * time.Millisecond))
	if _, err := c.Write(make([]byte, 64<<20)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("write: %v, want a deadline", err)
	}
}

// A call that found the connection open may set a deadline after Close has stopped the one before.
func TestDeadlineAfterStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // where a set that waits is a deadlock
		d := newDeadline()
		d.set(time.Now().Add(time.Hour))
		d.stop()
		d.set(time.Time{})
		d.set(time.Now().Add(time.Hour))
		d.stop()
	})
}

func TestClosed(t *testing.T) {
	a, b := twoHosts(t)
	c, s := connPair(t, a, b, "10.0.0.2:0")
	got := make(chan error, 1)
	go func() { _, err := c.Read(make([]byte, 1)); got <- err }()
	c.Close()
	if err := <-got; !errors.Is(err, net.ErrClosed) {
		t.Errorf("waiting read: %v", err)
	}
	for name, err := range map[string]error{
		"read":     second(c.Read(make([]byte, 1))),
		"write":    second(c.Write([]byte{1})),
		"close":    c.Close(),
		"half":     c.CloseWrite(),
		"deadline": c.SetDeadline(time.Time{}),
	} {
		if !errors.Is(err, net.ErrClosed) {
			t.Errorf("%s: %v, want net.ErrClosed", name, err)
		}
	}
	if _, err := s.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("peer: %v, want EOF", err)
	}
}

func second[T any](_ T, err error) error { return err }

// TestReset wants every call on both directions to tell a reset, not only the first.
func TestReset(t *testing.T) {
	a, b := twoHosts(t)
	for range 20 {
		c, s := connPair(t, a, b, "10.0.0.2:0")
		var wg sync.WaitGroup
		for range 2 {
			wg.Go(func() {
				if _, err := c.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
					t.Errorf("read: %v, want a reset", err)
				}
			})
		}
		s.Abort()
		wg.Wait()
		if _, err := c.Write([]byte{1}); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("write: %v, want a reset", err)
		}
		if _, err := s.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNABORTED) {
			t.Errorf("the side that aborted: %v", err)
		}
	}
}
