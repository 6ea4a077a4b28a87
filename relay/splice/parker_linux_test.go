package splice

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// newParker runs a parker to which directions go almost at once.
func newParker(t testing.TB) *Parker {
	t.Helper()
	p, err := NewParker()
	if err != nil {
		t.Fatal(err)
	}
	p.linger = time.Millisecond
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		if err := p.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(func() { cancel(); running.Wait() })
	return p
}

// awaitParked waits until n directions are parked.
func awaitParked(t *testing.T, p *Parker, n int) {
	t.Helper()
	late := time.After(patience)
	for again := time.Tick(time.Millisecond); ; {
		p.mu.Lock()
		parked := len(p.parked)
		p.mu.Unlock()
		if parked == n {
			return
		}
		select {
		case <-again:
		case <-late:
			t.Fatalf("%d directions are parked, want %d", parked, n)
		}
	}
}

// exchange sends b from one end and checks that it arrives at the other.
func exchange(t *testing.T, from, to net.Conn, b []byte) {
	t.Helper()
	var sending sync.WaitGroup
	sending.Go(func() {
		if _, err := from.Write(b); err != nil {
			t.Error(err)
		}
	})
	got := make([]byte, len(b))
	if _, err := io.ReadFull(to, got); err != nil || !bytes.Equal(got, b) {
		t.Errorf("other bytes arrived, %v", err)
	}
	sending.Wait()
}

// TestPark: silent directions park, and what comes then, little or much, either way, wakes them.
func TestPark(t *testing.T) {
	for _, tt := range kinds {
		t.Run(tt.name, func(t *testing.T) {
			p := newParker(t)
			client, target := tt.client(t), tt.target(t)
			_, wait := run(t, t.Context(), client, target, Config{Parker: p})
			var up, down int64
			for _, size := range []int{1, firstRead, firstRead + 1, 5000, 1 << 20} {
				awaitParked(t, p, 2)
				exchange(t, client.far, target.far, noise(size, 1))
				awaitParked(t, p, 2)
				exchange(t, target.far, client.far, noise(size, 2))
				up, down = up+int64(size), down+int64(size)
			}
			awaitParked(t, p, 2)
			client.far.(halfCloser).CloseWrite()
			if b, err := io.ReadAll(target.far); err != nil || len(b) > 0 {
				t.Errorf("after the client's end: %q, %v", b, err)
			}
			target.far.Close()
			if r := wait(); r.End != ClientClosed || r.Up != up || r.Down != down {
				t.Errorf("result %+v", r)
			}
			awaitParked(t, p, 0)
		})
	}
}

// TestGo: all that a session does beside its caller's goroutine it does where the caller wants it, also after it was parked.
func TestGo(t *testing.T) {
	p := newParker(t)
	client, target := tlsPair(t), tcpPair(t)
	var started atomic.Int32
	var running sync.WaitGroup
	_, wait := run(t, t.Context(), client, target, Config{Parker: p, Go: func(f func()) {
		started.Add(1)
		running.Go(f)
	}})
	awaitParked(t, p, 2)
	running.Wait()
	if n := started.Load(); n != 1 {
		t.Errorf("%d goroutines, want 1: what the target sends is copied", n)
	}
	exchange(t, client.far, target.far, noise(firstRead, 1))
	awaitParked(t, p, 2)
	running.Wait()
	if n := started.Load(); n != 2 {
		t.Errorf("%d goroutines, want 2: the client has sent something", n)
	}
	client.far.Close()
	target.far.Close()
	wait()
	running.Wait()
	if n := started.Load(); n != 5 {
		t.Errorf("%d goroutines, want 5: both sides have ended, and the session", n)
	}
}

// TestParkStress: a parker that wakes and parks all the time loses nothing.
func TestParkStress(t *testing.T) {
	p := newParker(t)
	var sessions sync.WaitGroup
	for i := range 8 {
		kind := kinds[i%len(kinds)]
		client, target := kind.client(t), kind.target(t)
		_, wait := run(t, t.Context(), client, target, Config{Parker: p})
		sessions.Go(func() {
			for j := range 300 {
				exchange(t, client.far, target.far, noise(1+j*17%3000, 3))
				exchange(t, target.far, client.far, noise(1+j*31%5000, 4))
			}
			client.far.Close()
			target.far.Close()
		})
		t.Cleanup(func() { wait() })
	}
	sessions.Wait()
}

// TestEndWhileParked: every way in which a session ends finds its parked directions.
func TestEndWhileParked(t *testing.T) {
	cause := errors.New("cut")
	for _, tt := range []struct {
		name string
		cfg  Config
		end  func(cut context.CancelCauseFunc, client, target pair)
		want End
	}{
		{"cut", Config{}, func(cut context.CancelCauseFunc, _, _ pair) { cut(cause) }, Cut},
		{"idle", Config{IdleTimeout: 200 * time.Millisecond}, func(context.CancelCauseFunc, pair, pair) {}, Idle},
		{"one half closed for too long", Config{CloseTimeout: 50 * time.Millisecond},
			func(_ context.CancelCauseFunc, client, _ pair) { client.far.(halfCloser).CloseWrite() }, ClientClosed},
		{"target resets", Config{CloseClient: func(c net.Conn) { c.Close() }},
			func(_ context.CancelCauseFunc, _, target pair) {
				target.far.(*net.TCPConn).SetLinger(0)
				target.far.Close()
			}, TargetError},
		{"client resets", Config{},
			func(_ context.CancelCauseFunc, client, _ pair) {
				client.far.(*net.TCPConn).SetLinger(0)
				client.far.Close()
			}, ClientError},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := newParker(t)
			tt.cfg.Parker = p
			client, target := tcpPair(t), tcpPair(t)
			ctx, cut := context.WithCancelCause(t.Context())
			defer cut(nil)
			_, wait := run(t, ctx, client, target, tt.cfg)
			if tt.name != "idle" {
				awaitParked(t, p, 2)
			}
			tt.end(cut, client, target)
			if r := wait(); r.End != tt.want {
				t.Errorf("result %+v, want end %v", r, tt.want)
			}
			awaitParked(t, p, 0)
		})
	}
}
