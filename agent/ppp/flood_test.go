package ppp_test

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"minato/agent/ppp"
	"minato/agent/ppp/ppptest"
)

// TestGarbage: whatever the line says, it is counted, and the link survives.
func TestGarbage(t *testing.T) {
	noise := make([]byte, 64<<10)
	r := rand.New(rand.NewPCG(3, 4))
	for i := range noise {
		noise[i] = byte(r.Uint32())
	}
	for _, tt := range []struct {
		name  string
		flood func(t *testing.T) []byte
		seen  func(s ppp.Stats) uint64
	}{
		{"noise", func(*testing.T) []byte { return noise }, func(s ppp.Stats) uint64 { return s.BadFCS }},
		{"no flags", func(*testing.T) []byte { return make([]byte, 64<<10) }, func(s ppp.Stats) uint64 { return s.Malformed }},
		{"unknown protocol", func(t *testing.T) []byte { return rawFrame(t, "805701010004") }, func(s ppp.Stats) uint64 { return s.Rejected }},
		{"CCP", func(t *testing.T) []byte { return rawFrame(t, "80fd01010004") }, func(s ppp.Stats) uint64 { return s.Rejected }},
		{"LCP Identification", func(t *testing.T) []byte { return rawFrame(t, "c0210c01000800000000") }, func(s ppp.Stats) uint64 { return s.Rejected }},
		{"IPCP unknown code", func(t *testing.T) []byte { return rawFrame(t, "80210c010004") }, func(s ppp.Stats) uint64 { return s.Rejected }},
		{"LCP shorter than its length", func(t *testing.T) []byte { return rawFrame(t, "c02101010100") }, func(s ppp.Stats) uint64 { return s.Malformed }},
		{"LCP with broken options", func(t *testing.T) []byte { return rawFrame(t, "c0210101000602ff") }, func(s ppp.Stats) uint64 { return s.Malformed }},
		{"no protocol", func(*testing.T) []byte { return []byte("~\xff\x03\x80\x39\x1b~") }, func(s ppp.Stats) uint64 { return s.BadFCS + s.Malformed }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			bubble(t, ppptest.Pass, ppp.Config{}, modem(ppp.AuthNone), func(t *testing.T, l *link) {
				await(t, l.client, l.modem)
				before := tt.seen(l.client.Stats())
				for range 50 {
					l.Inject(toClient, tt.flood(t))
				}
				l.Inject(toClient, []byte("~"))
				synctest.Wait()
				if got := tt.seen(l.client.Stats()); got == before {
					t.Errorf("nothing was counted: %+v", l.client.Stats())
				}
				got := make(chan string, 1)
				l.modem.Attach(func(p []byte) { got <- string(p) }, nil)
				if err := l.client.WritePackets([][]byte{[]byte("alive")}); err != nil {
					t.Fatal(err)
				}
				synctest.Wait()
				if len(got) != 1 {
					t.Error("the link does not carry packets any more")
				}
			})
		})
	}
}

// stuckPort is a port that never takes anything once stuck, until it is closed.
type stuckPort struct {
	io.ReadWriteCloser
	mu     sync.Mutex
	stuck  bool
	closed chan struct{}
	once   sync.Once
}

func (p *stuckPort) Write(b []byte) (int, error) {
	p.mu.Lock()
	stuck := p.stuck
	p.mu.Unlock()
	if stuck {
		<-p.closed
		return 0, io.ErrClosedPipe
	}
	return p.ReadWriteCloser.Write(b)
}

func (p *stuckPort) Close() error {
	p.once.Do(func() { close(p.closed) })
	return p.ReadWriteCloser.Close()
}

// TestStuckPort: a port that takes nothing can neither keep Run from ending nor hide that the link is dead. In real time, since
// a bubble's clock stands still while a goroutine waits for a mutex, as the event loop's writer does here.
func TestStuckPort(t *testing.T) {
	for _, cancelled := range []bool{true, false} {
		a, b := net.Pipe()
		port := &stuckPort{ReadWriteCloser: a, closed: make(chan struct{})}
		cfg := ppp.Config{RestartInterval: 50 * time.Millisecond}
		if !cancelled {
			cfg.EchoInterval, cfg.EchoFailures = 50*time.Millisecond, 10
		}
		client := run(t, ppp.New(port, cfg))
		server := run(t, ppp.New(b, modem(ppp.AuthNone)))
		await(t, client, server)
		port.mu.Lock()
		port.stuck = true
		port.mu.Unlock()
		written := make(chan error, 1)
		go func() { written <- client.WritePackets([][]byte{[]byte("stuck")}) }()
		if cancelled {
			client.cancel()
			if err := <-client.err; err != nil {
				t.Errorf("cancelled client: %v", err)
			}
		} else if err := <-client.err; !errors.Is(err, ppp.ErrDeadLink) {
			t.Errorf("ended with %v, want ErrDeadLink", err)
		}
		if err := <-written; cancelled && err != nil && !errors.Is(err, io.ErrClosedPipe) {
			t.Errorf("writing: %v", err)
		}
		<-server.err
	}
}

func TestPacketsOutsideTheLink(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, s := ppptest.Pair(ppp.Config{}, modem(ppp.AuthNone))
		if err := c.WritePackets([][]byte{[]byte("early"), []byte("early")}); err != nil {
			t.Errorf("before Run: %v", err)
		}
		client, server := run(t, c), run(t, s)
		await(t, client, server)
		if err := c.WritePackets([][]byte{[]byte("nobody is attached"), make([]byte, 1501), {}}); err != nil {
			t.Errorf("while open: %v", err)
		}
		synctest.Wait()
		client.cancel()
		<-client.err
		<-server.err
		if err := c.WritePackets([][]byte{[]byte("late")}); err != nil {
			t.Errorf("after Run: %v", err)
		}
		if got := c.Stats(); got.Dropped != 5 || got.PacketsOut != 1 {
			t.Errorf("client %+v, want 5 dropped and 1 out", got)
		}
		if got := s.Stats(); got.Dropped != 1 || got.PacketsIn != 0 {
			t.Errorf("server %+v, want 1 dropped", got)
		}
	})
}

func TestRunWithoutALine(t *testing.T) {
	a, b := net.Pipe()
	b.Close()
	if err := ppp.New(a, ppp.Config{}).Run(context.Background()); err == nil {
		t.Error("Run on a closed line returned nil")
	}
}
