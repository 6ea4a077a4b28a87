package splice

import (
	"io"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func TestIdle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, target := pipePair(t), pipePair(t)
		_, wait := run(t, t.Context(), client, target, Config{IdleTimeout: 10 * time.Second})
		start := time.Now()
		for range 3 { // bytes either way put it off
			time.Sleep(9 * time.Second)
			client.far.Write([]byte("ping"))
			io.ReadFull(target.far, make([]byte, 4))
			time.Sleep(9 * time.Second)
			target.far.Write([]byte("pong!"))
			io.ReadFull(client.far, make([]byte, 5))
		}
		r := wait()
		want := Result{Stats: Stats{12, 15}, End: Idle, Duration: 64 * time.Second, Quiet: r.Quiet}
		if r != want {
			t.Errorf("result %+v after %v, want %+v", r, time.Since(start), want)
		}
	})
}

func TestCloseTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, target := pipePair(t), pipePair(t)
		_, wait := run(t, t.Context(), client, target, Config{IdleTimeout: time.Hour, CloseTimeout: 10 * time.Second})
		time.Sleep(time.Minute)
		target.far.Close() // a pipe cannot pass this on: the client does not learn of it
		if r := wait(); r.End != TargetClosed || r.Duration != 70*time.Second {
			t.Errorf("result %+v, want target closed after 70 s", r)
		}
	})
}

// TestIdleTCP: also where the kernel moves the bytes they put it off.
func TestIdleTCP(t *testing.T) {
	const size, half = 64 << 20, 32 << 20 // each more than the buffers on the way
	client, target := tcpPair(t), tcpPair(t)
	s, wait := run(t, t.Context(), client, target, Config{IdleTimeout: time.Hour})
	var sending sync.WaitGroup
	sending.Go(func() { client.far.Write(make([]byte, size)) })
	io.ReadFull(target.far, make([]byte, half))
	s.moved.Store(-int64(time.Hour))
	io.ReadFull(target.far, make([]byte, size-half))
	sending.Wait()
	await(t, "all bytes in the counter, and their movement", func() bool { return s.Stats().Up == size && s.sinceMoved() < time.Hour })
	s.mu.Lock()
	s.limitLocked(10 * time.Millisecond)
	s.mu.Unlock()
	if r := wait(); r.End != Idle || r.Up != size {
		t.Errorf("result %+v, want idle after 64 MiB", r)
	}
}
