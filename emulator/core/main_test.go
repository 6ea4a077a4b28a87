package core

import (
	"context"
	"io"
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"minato/agent/netstack"
	"minato/agent/ppp"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience is how long a test waits for what should take milliseconds: the machine may be busy.
const patience = 60 * time.Second

// clock is a clock that tests move.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// openSubscriber is a sample subscriber whom nobody asks for a password.
func openSubscriber(n int) Subscriber {
	s := DefaultSubscriber(n)
	s.User, s.Password = "", ""
	return s
}

func openSubscribers(n int) (list []Subscriber) {
	for i := range n {
		list = append(list, openSubscriber(i))
	}
	return list
}

// startCore runs a network until the test ends.
func startCore(t testing.TB, cfg Config) *Core {
	t.Helper()
	c, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- c.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	<-c.Ready()
	return c
}

// activate attaches a subscriber and opens a session that nobody carries yet.
func activate(t testing.TB, c *Core, sub Subscriber) *Session {
	t.Helper()
	if _, err := c.Attach(sub.IMSI, "860000012345678"); err != nil {
		t.Fatal(err)
	}
	s, err := c.Activate(testContext(t), ActivateRequest{IMSI: sub.IMSI, APN: sub.APN, Credentials: ppp.Credentials{}})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// startDevice puts a host behind a session, until the test ends.
func startDevice(t testing.TB, s *Session) *netstack.Stack {
	t.Helper()
	host, err := netstack.New(netstack.Config{
		Addrs: []netip.Addr{s.Lease().Addr},
		Output: func(packets [][]byte) error {
			for _, p := range packets {
				s.Deliver(p)
			}
			return nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { host.Run(ctx) })
	t.Cleanup(func() { cancel(); wg.Wait() })
	<-host.Ready()
	s.Attach(func(packets [][]byte) error {
		for _, p := range packets {
			host.Deliver(p)
		}
		return nil
	})
	return host
}

// echo serves connections on a port of the device by giving back what they bring.
func echo(t testing.TB, host *netstack.Stack, address string) {
	t.Helper()
	l, err := host.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() {
				defer c.Close()
				if _, err := io.Copy(c, c); err == nil {
					c.(interface{ CloseWrite() error }).CloseWrite()
				}
			})
		}
	})
	t.Cleanup(func() { l.Close(); host.Close(); wg.Wait() })
}

func testContext(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return ctx
}

// checkEcho sends, half-closes, and wants all of it back.
func checkEcho(t testing.TB, c net.Conn, message string) {
	t.Helper()
	c.SetDeadline(time.Now().Add(patience))
	if _, err := io.WriteString(c, message); err != nil {
		t.Fatal(err)
	}
	if err := c.(interface{ CloseWrite() error }).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(c)
	if err != nil || string(got) != message {
		t.Fatalf("echo gave %d bytes (%v), want %d", len(got), err, len(message))
	}
}
