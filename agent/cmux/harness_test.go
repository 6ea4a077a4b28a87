package cmux

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// testPort is a net.Pipe's end that keeps what is given back, and loses what the test wants lost.
type testPort struct {
	net.Conn
	lose func(p []byte) bool // of each write; nil: nothing
	turn time.Duration       // that a write takes

	mu     sync.Mutex
	given  []byte
	writes [][]byte
}

func (p *testPort) Write(b []byte) (int, error) {
	p.mu.Lock()
	p.writes = append(p.writes, bytes.Clone(b))
	lost := p.lose != nil && p.lose(b)
	p.mu.Unlock()
	time.Sleep(p.turn) // on the fake clock
	if lost {
		return len(b), nil
	}
	return p.Conn.Write(b)
}

func (p *testPort) Unread(b []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.given = append(p.given, b...)
}

// Close ends this use of the port only: the line stays, as a tty does.
func (p *testPort) Close() error { return p.Conn.SetDeadline(time.Unix(1, 0)) }

func (p *testPort) unread() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return string(p.given)
}

func (p *testPort) written() [][]byte {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.writes
}

// line is two ports that face each other.
func line(t *testing.T) (host, modem *testPort) {
	a, b := net.Pipe()
	t.Cleanup(func() { a.Close(); b.Close() })
	return &testPort{Conn: a}, &testPort{Conn: b}
}

// running is a Mux whose Run goes on.
type running struct {
	*Mux
	cancel context.CancelFunc
	result chan error
}

func start(t *testing.T, port *testPort, cfg Config) *running {
	t.Helper()
	port.SetDeadline(time.Time{})
	ctx, cancel := context.WithCancel(t.Context())
	cfg.Logger = slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelDebug}))
	r := &running{Mux: New(port, cfg), cancel: cancel, result: make(chan error, 1)}
	go func() { r.result <- r.Run(ctx) }()
	return r
}

// stop ends both ends, the modem first since a modem that leaves says nothing.
func stop(t *testing.T, rs ...*running) {
	t.Helper()
	for _, r := range rs {
		r.cancel()
		<-r.finished
	}
}

// pair starts both ends and opens a channel.
func pair(t *testing.T, host, modem Config) (h, m *running, at, peer *Channel) {
	t.Helper()
	a, b := line(t)
	modem.Role = Responder
	m, h = start(t, b, modem), start(t, a, host)
	at, peer = openChannel(t, h, m, 1)
	return h, m, at, peer
}

func openChannel(t *testing.T, h, m *running, dlci byte) (at, peer *Channel) {
	t.Helper()
	at, err := h.Open(t.Context(), dlci)
	if err != nil {
		t.Fatal(err)
	}
	if peer, err = m.Accept(t.Context()); err != nil {
		t.Fatal(err)
	}
	return at, peer
}

func send(t *testing.T, c io.Writer, p []byte) {
	t.Helper()
	if n, err := c.Write(p); n != len(p) || err != nil {
		t.Fatalf("wrote %d of %d: %v", n, len(p), err)
	}
}

func expect(t *testing.T, c io.Reader, want []byte) {
	t.Helper()
	got := make([]byte, len(want))
	if _, err := io.ReadFull(c, got); err != nil {
		t.Fatalf("reading %q: %v", want, err)
	}
	if !bytes.Equal(got, want) {
		t.Fatalf("read %q, want %q", got, want)
	}
}

// script is a peer by hand: the other end of a Mux's line.
type script struct {
	t    *testing.T
	port *testPort
	d    *Decoder
	got  chan Frame
}

// newScript begins to read; frames that nobody asks for pile up to a hundred.
func newScript(t *testing.T, port *testPort) *script {
	s := &script{t: t, port: port, d: NewDecoder(MaxInfo), got: make(chan Frame, 100)}
	go func() {
		buf := make([]byte, 4096)
		for {
			n, err := port.Read(buf)
			s.d.Decode(buf[:n], func(f Frame) bool {
				f.Info = append([]byte{}, f.Info...)
				s.got <- f
				return true
			})
			if err != nil {
				close(s.got)
				return
			}
		}
	}()
	return s
}

func (s *script) send(hexes ...string) {
	s.t.Helper()
	for _, h := range hexes {
		send(s.t, s.port.Conn, unhex(s.t, h))
	}
}

// expect waits for the frames with these octets.
func (s *script) expect(hexes ...string) {
	s.t.Helper()
	for _, h := range hexes {
		f, ok := <-s.got
		if !ok {
			s.t.Fatalf("the line ended, want %s", h)
		}
		if diff := cmp.Diff(unhex(s.t, h), AppendFrame(nil, f)); diff != "" {
			s.t.Fatalf("want %s, got %v (-want +got):\n%s", h, f, diff)
		}
	}
}

// quiet makes sure that nothing came.
func (s *script) quiet() {
	s.t.Helper()
	synctest.Wait()
	select {
	case f, ok := <-s.got:
		if ok {
			s.t.Fatalf("unexpected frame %v", f)
		}
	default:
	}
}
