package splice

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"testing"
	"time"
)

// run starts a session between the near ends; wait returns its result.
func run(t testing.TB, ctx context.Context, client, target pair, cfg Config) (s *Session, wait func() Result) {
	s = New(client.near, target.near, cfg)
	result := make(chan Result, 1)
	var running sync.WaitGroup
	running.Go(func() { result <- s.Run(ctx) })
	t.Cleanup(running.Wait)
	t.Cleanup(func() { client.near.Close(); target.near.Close() }) // after a failure it may still run
	return s, func() Result {
		t.Helper()
		select {
		case r := <-result:
			return r
		case <-time.After(patience):
			t.Fatal("the session does not end")
			return Result{}
		}
	}
}

var kinds = []struct {
	name           string
	client, target func(testing.TB) pair
}{
	{"tcp-tcp", tcpPair, tcpPair},
	{"tls-tcp", tlsPair, tcpPair},
	{"plain tls-tcp", plainTLSPair, tcpPair},
	{"tls 1.2-tcp", tls12Pair, tcpPair},
	{"tcp-tls", tcpPair, tlsPair},
	{"tls-tls", tlsPair, tlsPair},
	{"tls read ahead-tcp", aheadPair, tcpPair},
}

func noise(n int, seed byte) []byte {
	b := make([]byte, n)
	rand.NewChaCha8([32]byte{seed}).Read(b)
	return b
}

// TestHalfClose: each side sends, ends, and still gets all that the other one sends after that.
func TestHalfClose(t *testing.T) {
	request, response := noise(3<<20+1, 1), noise(5<<20+7, 2)
	for _, tt := range kinds {
		t.Run(tt.name, func(t *testing.T) {
			client, target := tt.client(t), tt.target(t)
			_, wait := run(t, t.Context(), client, target, Config{})
			var service sync.WaitGroup
			service.Go(func() {
				got, err := io.ReadAll(target.far) // ends only if the client's end is passed on
				if err != nil || !bytes.Equal(got, request) {
					t.Errorf("target got %d bytes, %v; want %d", len(got), err, len(request))
				}
				target.far.Write(response)
				target.far.(halfCloser).CloseWrite()
			})
			if _, err := client.far.Write(request); err != nil {
				t.Error(err)
			}
			client.far.(halfCloser).CloseWrite()
			got, err := io.ReadAll(client.far)
			if err != nil || !bytes.Equal(got, response) {
				t.Errorf("client got %d bytes, %v; want %d", len(got), err, len(response))
			}
			service.Wait()
			r := wait()
			want := Result{Stats: Stats{int64(len(request)), int64(len(response))}, End: ClientClosed, Duration: r.Duration, Quiet: r.Quiet, Unsent: r.Unsent}
			if r != want {
				t.Errorf("result %+v, want %+v", r, want)
			}
		})
	}
}

// TestBothWays: much in both directions at once, in pieces of all sizes.
func TestBothWays(t *testing.T) {
	for _, tt := range append(kinds, struct {
		name           string
		client, target func(testing.TB) pair
	}{"pipe-tcp", pipePair, tcpPair}) {
		t.Run(tt.name, func(t *testing.T) {
			client, target := tt.client(t), tt.target(t)
			_, wait := run(t, t.Context(), client, target, Config{})
			data := noise(2<<20, 3)
			var ends sync.WaitGroup
			for i, c := range []net.Conn{client.far, target.far} {
				sizes := rand.New(rand.NewPCG(1, uint64(i)))
				ends.Go(func() {
					for b := data; len(b) > 0; {
						n := min(1+sizes.IntN(1+sizes.IntN(90_000)), len(b))
						if _, err := c.Write(b[:n]); err != nil {
							t.Error(err)
							return
						}
						b = b[n:]
					}
				})
				ends.Go(func() {
					got := make([]byte, len(data))
					if _, err := io.ReadFull(c, got); err != nil || !bytes.Equal(got, data) {
						t.Errorf("end %d: other bytes, %v", i, err)
					}
				})
			}
			ends.Wait()
			target.far.Close()
			client.far.Close()
			if r := wait(); r.Up != int64(len(data)) || r.Down != int64(len(data)) {
				t.Errorf("result %+v, want %d bytes each way", r, len(data))
			}
		})
	}
}

// TestPingPong: a lone message of any size is never held back.
func TestPingPong(t *testing.T) {
	for _, tt := range kinds {
		t.Run(tt.name, func(t *testing.T) {
			client, target := tt.client(t), tt.target(t)
			_, wait := run(t, t.Context(), client, target, Config{})
			for _, n := range []int{1, 63, 64, 65, 128, 16 << 10, 16<<10 + 1, 64 << 10, 128 << 10, 200_000, 64, 1} {
				data, got := noise(n, byte(n)), make([]byte, n)
				for _, way := range [][2]net.Conn{{client.far, target.far}, {target.far, client.far}} {
					var writing sync.WaitGroup
					writing.Go(func() { way[0].Write(data) })
					if _, err := io.ReadFull(way[1], got); err != nil || !bytes.Equal(got, data) {
						t.Fatalf("%d bytes: %v", n, err)
					}
					writing.Wait()
				}
			}
			client.far.(halfCloser).CloseWrite()
			io.ReadAll(target.far)
			target.far.Close()
			if r := wait(); r.End != ClientClosed || r.Err != nil {
				t.Errorf("result %+v, want client closed", r)
			}
		})
	}
}

func TestFirstBytes(t *testing.T) {
	client, target := tcpPair(t), tcpPair(t)
	_, wait := run(t, t.Context(), client, target, Config{FromClient: []byte("hello "), FromTarget: []byte("220 ")})
	client.far.Write([]byte("device"))
	client.far.(halfCloser).CloseWrite()
	target.far.Write([]byte("ready"))
	target.far.(halfCloser).CloseWrite()
	up, _ := io.ReadAll(target.far)
	down, _ := io.ReadAll(client.far)
	if string(up) != "hello device" || string(down) != "220 ready" {
		t.Errorf("target got %q, client %q", up, down)
	}
	if r := wait(); r.Up != 12 || r.Down != 9 {
		t.Errorf("result %+v, want 12 up and 9 down", r)
	}
}

func TestCut(t *testing.T) {
	expired := errors.New("expired")
	for _, tt := range kinds {
		t.Run(tt.name, func(t *testing.T) {
			client, target := tt.client(t), tt.target(t)
			ctx, cut := context.WithCancelCause(t.Context())
			_, wait := run(t, ctx, client, target, Config{})
			client.far.Write([]byte("x"))
			io.ReadFull(target.far, make([]byte, 1))
			cut(expired)
			if r := wait(); r.End != Cut || r.Err != expired || r.Up != 1 {
				t.Errorf("result %+v, want cut: %v", r, expired)
			}
			for _, c := range []net.Conn{client.far, target.far} {
				if n, err := c.Read(make([]byte, 1)); err == nil {
					t.Errorf("read of %d bytes after the cut", n)
				}
			}
		})
	}
}

// TestCutStuck: a session whose target takes no more bytes ends at once all the same.
func TestCutStuck(t *testing.T) {
	for _, tt := range kinds {
		t.Run(tt.name, func(t *testing.T) {
			client, target := tt.client(t), tt.target(t)
			ctx, cut := context.WithCancelCause(t.Context())
			s, wait := run(t, ctx, client, target, Config{})
			var sending sync.WaitGroup
			sending.Go(func() { io.Copy(client.far, endless{}) })
			moved, still := int64(-1), 0
			await(t, "nothing to move", func() bool { // the buffers on the way are full
				if now := s.Stats().Up; now != moved {
					moved, still = now, 0
				}
				still++
				return still > 100
			})
			cut(errors.New("deleted"))
			if r := wait(); r.End != Cut {
				t.Errorf("result %+v, want cut", r)
			}
			client.far.Close()
			sending.Wait()
		})
	}
}

// await asks again and again: counters have no event.
func await(t *testing.T, what string, ok func() bool) {
	t.Helper()
	again := time.NewTicker(2 * time.Millisecond)
	defer again.Stop()
	for deadline := time.After(patience); !ok(); {
		select {
		case <-again.C:
		case <-deadline:
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

type endless struct{}

func (endless) Read(b []byte) (int, error) { return len(b), nil }

func reset(c net.Conn) {
	c.(*net.TCPConn).SetLinger(0)
	c.Close()
}

func TestReset(t *testing.T) {
	tests := []struct {
		name string
		cut  func(client, target pair)
		want End
	}{
		{"client", func(client, target pair) { reset(client.far) }, ClientError},
		{"target", func(client, target pair) { reset(target.far) }, TargetError},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			client, target := tcpPair(t), tcpPair(t)
			_, wait := run(t, t.Context(), client, target, Config{})
			tt.cut(client, target)
			if r := wait(); r.End != tt.want || r.Err == nil {
				t.Errorf("result %+v, want %v", r, tt.want)
			}
		})
	}
}

// TestResetUnderLoad: a side that breaks while the kernel moves bytes is named too.
func TestResetUnderLoad(t *testing.T) {
	for _, tt := range []struct {
		name string
		far  func(client, target pair) net.Conn
		want End
	}{
		{"source", func(client, target pair) net.Conn { return client.far }, ClientError},
		{"destination", func(client, target pair) net.Conn { return target.far }, TargetError},
	} {
		t.Run(tt.name, func(t *testing.T) {
			client, target := tcpPair(t), tcpPair(t)
			s, wait := run(t, t.Context(), client, target, Config{})
			var flowing sync.WaitGroup
			flowing.Go(func() { io.Copy(client.far, endless{}) })
			flowing.Go(func() { io.Copy(io.Discard, target.far) })
			await(t, "8 MiB", func() bool { return s.Stats().Up >= 8<<20 })
			reset(tt.far(client, target))
			if r := wait(); r.End != tt.want || r.Err == nil {
				t.Errorf("result %+v, want %v", r, tt.want)
			}
			flowing.Wait()
		})
	}
}

// TestAnswerToRefusedUpload: what the target said before it stopped reading reaches the client.
func TestAnswerToRefusedUpload(t *testing.T) {
	client, target := tcpPair(t), tcpPair(t)
	_, wait := run(t, t.Context(), client, target, Config{})
	target.far.Write([]byte("413 too large"))
	target.far.(halfCloser).CloseWrite()
	got, err := io.ReadAll(client.far)
	if string(got) != "413 too large" || err != nil {
		t.Errorf("client got %q, %v", got, err)
	}
	client.far.Write([]byte("more"))
	client.far.Close()
	target.far.Close()
	if r := wait(); r.End != TargetClosed {
		t.Errorf("result %+v, want target closed", r)
	}
}

// TestLiveStats: bytes that the kernel moves are counted before the connection ends.
func TestLiveStats(t *testing.T) {
	client, target := tcpPair(t), tcpPair(t)
	s, wait := run(t, t.Context(), client, target, Config{})
	const size = 10<<20 + 123
	var sending sync.WaitGroup
	sending.Go(func() { client.far.Write(make([]byte, size)) })
	if _, err := io.ReadFull(target.far, make([]byte, size)); err != nil {
		t.Fatal(err)
	}
	sending.Wait()
	await(t, "all bytes in the counter", func() bool { return s.Stats().Up == size })
	client.far.Close()
	target.far.Close()
	wait()
}
