//go:build linux

package bench

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"sync"
	"time"
)

const x25519 = tls.X25519

const (
	echoSize     = 64 // bytes of an echoed message
	concurrently = 16 // clients that connect at a time
	warmUp       = 50 // connections before memory or connections are measured
)

// load is how much of each measure.
type load struct {
	bytes       int64 // of one bulk measure
	connections int   // of one measure of connections
	idle        int   // connections held at a time
	trips       int   // round trips of one measure of latency

	settling time.Duration // that a proxy gets to give back what it needed for a moment only
}

var fullLoad = load{bytes: 1 << 30, connections: 3000, idle: 3000, trips: 6000, settling: 8 * time.Second}

func tlsDown(ctx context.Context, s *stand, x *proxy) ([]float64, error) {
	return bulk(ctx, s, x, askDown, true)
}
func tlsUp(ctx context.Context, s *stand, x *proxy) ([]float64, error) {
	return bulk(ctx, s, x, askUp, true)
}
func plainDown(ctx context.Context, s *stand, x *proxy) ([]float64, error) {
	return bulk(ctx, s, x, askDown, false)
}
func plainUp(ctx context.Context, s *stand, x *proxy) ([]float64, error) {
	return bulk(ctx, s, x, askUp, false)
}

// bulk is CPU seconds per 10^9 bytes of one connection.
func bulk(ctx context.Context, s *stand, x *proxy, ask byte, over bool) ([]float64, error) {
	c, err := s.open(ctx, x, over)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	took, err := x.spent(func() error {
		if _, err := c.Write(request(ask, s.load.bytes)); err != nil {
			return err
		}
		if ask == askDown {
			return take(c, s.load.bytes)
		}
		if err := send(c, s.load.bytes); err != nil {
			return err
		}
		return take(c, 1)
	})
	return []float64{took.Seconds() / (float64(s.load.bytes) / 1e9)}, err
}

func (s *stand) open(ctx context.Context, x *proxy, over bool) (net.Conn, error) {
	if over {
		return s.dialTLS(ctx, x.tls, x25519)
	}
	return s.dial(ctx, x.plain)
}

func connectX25519(ctx context.Context, s *stand, x *proxy) ([]float64, error) {
	return connect(ctx, s, x, x25519)
}
func connectMLKEM(ctx context.Context, s *stand, x *proxy) ([]float64, error) {
	return connect(ctx, s, x, tls.X25519MLKEM768)
}

// connect is CPU milliseconds of a connection from its first packet to its last: handshake, dial, one echo, close.
func connect(ctx context.Context, s *stand, x *proxy, curve tls.CurveID) ([]float64, error) {
	each := func() error {
		c, err := s.dialTLS(ctx, x.tls, curve)
		if err != nil {
			return err
		}
		defer c.Close()
		return echoOnce(c)
	}
	if err := many(warmUp, each); err != nil {
		return nil, err
	}
	took, err := x.spent(func() error { return many(s.load.connections, each) })
	return []float64{took.Seconds() * 1e3 / float64(s.load.connections)}, err
}

// idle is KB of resident memory for each of many TLS connections that echoed one message and are silent now.
func idle(ctx context.Context, s *stand, x *proxy) ([]float64, error) {
	var mu sync.Mutex
	var held []net.Conn
	defer func() {
		for _, c := range held {
			c.Close()
		}
	}()
	hold := func() error {
		c, err := s.dialTLS(ctx, x.tls, x25519)
		if err != nil {
			return err
		}
		mu.Lock()
		held = append(held, c)
		mu.Unlock()
		return echoOnce(c)
	}
	if err := many(warmUp, hold); err != nil {
		return nil, err
	}
	time.Sleep(s.load.settling)
	before, err := x.memory()
	if err != nil {
		return nil, err
	}
	if err := many(s.load.idle, hold); err != nil {
		return nil, err
	}
	time.Sleep(s.load.settling)
	after, err := x.memory()
	return []float64{float64(after-before) / 1e3 / float64(s.load.idle)}, err
}

// latency is what a proxy adds to the time of a round trip, in microseconds: median and 99th percentile less the median without a proxy.
func latency(ctx context.Context, s *stand, x *proxy) ([]float64, error) {
	direct, err := s.dial(ctx, s.backend.addr)
	if err != nil {
		return nil, err
	}
	defer direct.Close()
	through, err := s.dialTLS(ctx, x.tls, x25519)
	if err != nil {
		return nil, err
	}
	defer through.Close()
	base, err := roundTrips(direct, s.load.trips)
	if err != nil {
		return nil, err
	}
	took, err := roundTrips(through, s.load.trips)
	if err != nil {
		return nil, err
	}
	added := func(percent int) float64 {
		return float64((took[len(took)*percent/100] - base[len(base)/2]).Nanoseconds()) / 1e3
	}
	return []float64{added(50), added(99)}, nil
}

// roundTrips are the times of many echoes one after the other, sorted.
func roundTrips(c net.Conn, trips int) ([]time.Duration, error) {
	if _, err := c.Write(request(askEcho, 0)); err != nil {
		return nil, err
	}
	took := make([]time.Duration, trips)
	for i := range took {
		began := time.Now()
		if err := echo(c); err != nil {
			return nil, err
		}
		took[i] = time.Since(began)
	}
	slices.Sort(took)
	return took, nil
}

// echoOnce asks for echoes and gets one.
func echoOnce(c net.Conn) error {
	if _, err := c.Write(request(askEcho, 0)); err != nil {
		return err
	}
	return echo(c)
}

func echo(c net.Conn) error {
	message, back := bytes.Repeat([]byte{'m'}, echoSize), make([]byte, echoSize)
	if _, err := c.Write(message); err != nil {
		return err
	}
	if _, err := io.ReadFull(c, back); err != nil {
		return fmt.Errorf("waiting for the echo: %w", err)
	}
	if !bytes.Equal(message, back) {
		return errors.New("the echo is another than was sent")
	}
	return nil
}

// many calls each n times from several goroutines, and gives the first error.
func many(n int, each func() error) error {
	var group sync.WaitGroup
	failed := make(chan error, concurrently)
	for i := range concurrently {
		group.Go(func() {
			for j := i; j < n; j += concurrently {
				if err := each(); err != nil {
					failed <- err
					return
				}
			}
		})
	}
	group.Wait()
	select {
	case err := <-failed:
		return err
	default:
		return nil
	}
}
