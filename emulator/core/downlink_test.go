package core

import (
	"bytes"
	"context"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// TestPipe fills a pipe to the last packet: one that does not wait loses its packet, one that waits gets it in, in order.
func TestPipe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipe(nil)
		for i := range pipeRoom {
			if !p.put([]byte{byte(i)}, nil) {
				t.Fatalf("no room for packet %d", i)
			}
		}
		if p.put([]byte{1}, nil) {
			t.Error("a full pipe took a packet")
		}
		if p.put(make([]byte, mtu+1), nil) {
			t.Error("a packet that is too long was taken")
		}
		over := make(chan struct{})
		var wg sync.WaitGroup
		const waiting = 300 // more than a pipe holds, all at once
		for range waiting {
			wg.Go(func() {
				if !p.put([]byte{255}, over) {
					t.Error("a packet that waited is lost")
				}
			})
		}
		synctest.Wait()
		ctx, cancel := context.WithCancel(t.Context())
		got := 0
		p.run(ctx, func(batch []*packetBuffer) {
			for _, b := range batch {
				if got < pipeRoom && b.data[0] != byte(got) || got >= pipeRoom && b.data[0] != 255 {
					t.Errorf("packet %d is %d", got, b.data[0])
				}
				if got++; got == pipeRoom+waiting {
					cancel()
				}
			}
		})
		wg.Wait()
		for range pipeRoom {
			p.put(nil, nil)
		}
		go close(over)
		if p.put([]byte{1}, over) {
			t.Error("a packet went in after the end")
		}
	})
}

// TestStalledDevice has a device that takes nothing, with connections full of bytes, beside one that does.
func TestStalledDevice(t *testing.T) {
	subs := openSubscribers(2)
	c := startCore(t, Config{Subscribers: subs, DialTimeout: patience})
	stalled, well := activate(t, c, subs[0]), activate(t, c, subs[1])
	host := startDevice(t, stalled)
	silent, err := host.Listen("tcp", ":7")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	echo(t, startDevice(t, well), ":7")
	const connections = 16
	var conns []net.Conn
	for range connections {
		conn, err := c.DialSIM(testContext(t), subs[0].SIMID, 7)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		conns = append(conns, conn)
	}
	stuck, release := make(chan struct{}), make(chan struct{})
	var once sync.Once
	stalled.Attach(func([][]byte) error {
		once.Do(func() { close(stuck) })
		<-release
		return nil
	})
	defer close(release)
	var wg sync.WaitGroup
	defer wg.Wait()
	defer stalled.Close("over") // which ends the writers, though the carrier still does not return
	for _, conn := range conns {
		wg.Go(func() { io.Copy(conn, endless{}) })
	}
	<-stuck
	for range 4 {
		conn, err := c.DialSIM(testContext(t), subs[1].SIMID, 7)
		if err != nil {
			t.Fatal(err)
		}
		checkEcho(t, conn, string(bytes.Repeat([]byte("x"), 100_000)))
		conn.Close()
	}
	if got := well.Info().Dropped; got != 0 {
		t.Errorf("%d packets of the other device are lost", got)
	}
}

type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }

// TestSlowDevice transfers to a device that takes packets in its own time, and wants all of them to arrive the first time.
func TestSlowDevice(t *testing.T) {
	subs := openSubscribers(1)
	c := startCore(t, Config{Subscribers: subs, DialTimeout: patience})
	s := activate(t, c, subs[0])
	host := startDevice(t, s)
	echo(t, host, ":7")
	s.Attach(func(packets [][]byte) error {
		for _, p := range packets {
			host.Deliver(p)
		}
		<-time.After(time.Millisecond)
		return nil
	})
	conn, err := c.DialSIM(testContext(t), subs[0].SIMID, 7)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(patience))
	still := standsStill(t)
	const size = 4 << 20
	var wg sync.WaitGroup
	wg.Go(func() {
		if _, err := io.CopyN(conn, endless{}, size); err != nil {
			t.Error(err)
		}
		conn.(interface{ CloseWrite() error }).CloseWrite()
	})
	if n, err := io.Copy(io.Discard, conn); n != size || err != nil {
		t.Errorf("%d bytes came back, %v", n, err)
	}
	wg.Wait()
	// Of about 3000; none, unless this machine stands still: a stack that has not seen its link move for 500 ms waits for it no longer.
	if info := s.Info(); info.Dropped > 100 && still() < 250*time.Millisecond {
		t.Errorf("%d packets are lost: %+v", info.Dropped, info)
	}
}

// standsStill watches how long no goroutine of this process came to its turn; the result is the longest such time so far.
func standsStill(t *testing.T) func() time.Duration {
	var longest atomic.Int64
	stop := make(chan struct{})
	var wg sync.WaitGroup
	t.Cleanup(func() { close(stop); wg.Wait() })
	wg.Go(func() {
		for {
			from := time.Now()
			select {
			case <-stop:
				return
			case <-time.After(10 * time.Millisecond):
			}
			longest.Store(max(longest.Load(), int64(time.Since(from))))
		}
	})
	return func() time.Duration { return time.Duration(longest.Load()) }
}
