package core

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// sink runs a pipe and notes when what arrives; in a synctest bubble.
type sink struct {
	bytes   int
	packets []byte // their first octets
	first   time.Time
	last    time.Time
}

func (s *sink) carry(batch []*packetBuffer) {
	s.last = time.Now()
	for _, b := range batch {
		if s.first.IsZero() {
			s.first = s.last
		} else {
			s.bytes += b.n
		}
		s.packets = append(s.packets, b.data[0])
	}
}

func runPipe(t *testing.T, l Line) (*pipe, *sink) {
	t.Helper()
	p, s := newPipe(rand.New(rand.NewPCG(1, 2)).Float64), &sink{}
	p.setLine(l)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { p.run(ctx, s.carry); close(done) }()
	t.Cleanup(func() { cancel(); <-done })
	return p, s
}

// pass lets synthetic time pass, and what it does be done.
func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// TestLine measures every category both ways on a synthetic clock: a full line has its rate, and a packet alone has its latency.
func TestLine(t *testing.T) {
	for _, name := range ShapeNames() {
		shape, _ := NamedShape(name)
		for direction, l := range map[string]Line{"up": shape.Up, "down": shape.Down} {
			t.Run(name+" "+direction, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					p, s := runPipe(t, l)
					start := time.Now()
					p.put(make([]byte, 100), nil)
					pass(time.Minute)
					if got, want := s.first.Sub(start)-l.takes(100), l.Latency; (got - want).Abs() > max(2*time.Millisecond, want/20) {
						t.Errorf("latency %v, want %v", got, want)
					}
					*s = sink{}
					for range 5 * 1000 { // 5 s, at more than the rate
						for range 1 + l.Rate/8/1000/1400 {
							p.put(make([]byte, 1400), nil)
						}
						time.Sleep(time.Millisecond)
					}
					synctest.Wait()
					rate := float64(s.bytes) * 8 / s.last.Sub(s.first).Seconds()
					if math.Abs(rate/float64(l.Rate)-1) > 0.05 {
						t.Errorf("rate %.0f, want %d", rate, l.Rate)
					}
					if p.dropped.Load() == 0 {
						t.Error("nothing was dropped")
					}
				})
			})
		}
	}
}

// TestLineQueue fills a line at once: what it takes is 100 ms worth, or a few packets.
func TestLineQueue(t *testing.T) {
	tests := []struct {
		rate int64
		want int // packets of 1500 octets
	}{{12_000_000, 100}, {1_200_000, 10}, {26_000, 4}, {200, 4}}
	for _, tt := range tests {
		t.Run(fmt.Sprint(tt.rate), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p, _ := runPipe(t, Line{Rate: tt.rate})
				got := 0
				for range 1000 {
					if p.put(make([]byte, mtu), t.Context().Done()) {
						got++
					}
				}
				if got != tt.want {
					t.Errorf("%d packets fit, want %d", got, tt.want)
				}
			})
		})
	}
}

// TestLineStalled has a modem that takes nothing: the queue behind it has an end, with or without a rate.
func TestLineStalled(t *testing.T) {
	for _, l := range []Line{{Rate: 10_000_000, Latency: 50 * time.Millisecond}, {Latency: 50 * time.Millisecond}, {Loss: 0.01}} {
		t.Run(fmt.Sprint(l), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newPipe(rand.Float64)
				p.setLine(l)
				for range 60 * 1000 {
					p.put(make([]byte, mtu), nil)
					time.Sleep(time.Millisecond)
				}
				if held := len(p.queue); held > pipeFlight {
					t.Errorf("%d packets are held", held)
				}
				if l.Rate > 0 && p.bytes > 420_000 { // 250 ms and a batch
					t.Errorf("%d octets are held", p.bytes)
				}
			})
		})
	}
}

func TestLossAndJitter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const n = 4000
		p, s := runPipe(t, Line{Latency: 40 * time.Millisecond, Jitter: 20 * time.Millisecond, Loss: 0.05})
		var earliest, latest, sum time.Duration = time.Hour, 0, 0
		arrived := 0
		for i := range n {
			start := time.Now()
			p.put([]byte{byte(i)}, nil)
			pass(100 * time.Millisecond)
			if len(s.packets) == arrived {
				continue
			}
			arrived = len(s.packets)
			took := s.last.Sub(start)
			earliest, latest, sum = min(earliest, took), max(latest, took), sum+took
		}
		if lost := float64(p.lost.Load()) / n; math.Abs(lost-0.05) > 0.01 || int(p.lost.Load())+arrived != n {
			t.Errorf("%d lost, %d arrived of %d", p.lost.Load(), arrived, n)
		}
		if mean := sum / time.Duration(arrived); (mean - 40*time.Millisecond).Abs() > time.Millisecond {
			t.Errorf("mean latency %v", mean)
		}
		if earliest < 20*time.Millisecond || earliest > 21*time.Millisecond || latest > 60*time.Millisecond || latest < 59*time.Millisecond {
			t.Errorf("latency from %v to %v", earliest, latest)
		}
		s.packets = nil
		p.setLine(Line{Latency: 40 * time.Millisecond, Jitter: 40 * time.Millisecond})
		for i := range 100 {
			p.put([]byte{byte(i)}, nil)
			time.Sleep(time.Millisecond)
			if i == 50 {
				p.setLine(Line{}) // what is on its way keeps its time, and what follows its place
			}
		}
		pass(time.Second)
		for i, b := range s.packets {
			if int(b) != i {
				t.Fatalf("order %v", s.packets)
			}
		}
		if len(s.packets) != 100 {
			t.Errorf("%d packets arrived", len(s.packets))
		}
	})
}

func TestSetShape(t *testing.T) {
	subs := openSubscribers(1)
	subs[0].SIMID = "one"
	subs[0].Shape.Down.Latency = 30 * time.Millisecond
	c := startCore(t, Config{Subscribers: subs})
	s := activate(t, c, subs[0])
	replies := make(chan []byte, 1)
	listen := func() {
		s.Attach(func(packets [][]byte) error { replies <- packets[0]; return nil })
	}
	listen()
	roundTrip := func() time.Duration {
		start := time.Now()
		s.Deliver(ping(s.Lease().Addr, c.cfg.Gateway))
		<-replies
		return time.Since(start)
	}
	if took := roundTrip(); took < 30*time.Millisecond {
		t.Errorf("as configured: %v", took)
	}
	slow := Shape{Up: Line{Latency: 100 * time.Millisecond}, Down: Line{Latency: 50 * time.Millisecond}}
	if err := c.SetShape("ONE", slow); err != nil {
		t.Fatal(err)
	}
	if took := roundTrip(); took < 150*time.Millisecond {
		t.Errorf("slow: %v", took)
	}
	if diff := cmp.Diff(slow, c.Subscribers()[0].Shape); diff != "" {
		t.Errorf("status (-want +got):\n%s", diff)
	}
	s = activate(t, c, subs[0]) // a new session
	listen()
	if took := roundTrip(); took < 150*time.Millisecond {
		t.Errorf("the next session: %v", took)
	}
	if err := c.SetShape("one", Shape{Up: Line{Loss: 1}}); err != nil {
		t.Fatal(err)
	}
	s.Deliver(ping(s.Lease().Addr, c.cfg.Gateway))
	if got := s.Info().Lost; got != 1 {
		t.Errorf("%d packets lost", got)
	}
	if err := c.SetShape("one", Shape{}); err != nil {
		t.Fatal(err)
	}
	roundTrip()
	if err := c.SetShape("two", Shape{}); !errors.Is(err, ErrUnknownSIM) {
		t.Errorf("an unknown SIM: %v", err)
	}
	if err := c.SetShape("one", Shape{Up: Line{Rate: -1}}); err == nil {
		t.Error("a bad shape was taken")
	}
}

// TestShapedTransfer holds TCP against a line with a rate and losses.
func TestShapedTransfer(t *testing.T) {
	subs := openSubscribers(1)
	subs[0].Shape = Shape{
		Up:   Line{Rate: 20_000_000, Latency: 2 * time.Millisecond, Loss: 0.001},
		Down: Line{Rate: 20_000_000, Latency: 2 * time.Millisecond, Jitter: time.Millisecond, Loss: 0.001},
	}
	c := startCore(t, Config{Subscribers: subs, DialTimeout: patience})
	echo(t, startDevice(t, activate(t, c, subs[0])), ":7")
	conn, err := c.DialSIM(testContext(t), subs[0].SIMID, 7)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	go io.CopyN(conn, endless{}, 1<<20)
	conn.SetDeadline(time.Now().Add(patience))
	start := time.Now()
	if _, err := io.CopyN(io.Discard, conn, 1<<20); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(start); took < 350*time.Millisecond { // 1 MiB takes 419 ms
		t.Errorf("took %v", took)
	}
}

// BenchmarkShape measures categories from outside, in real time: what TCP gets of the rate both ways, and what a ping takes.
func BenchmarkShape(b *testing.B) {
	for _, name := range []string{"cat1", "cat4", "catM1"} {
		b.Run(name, func(b *testing.B) {
			shape, _ := NamedShape(name)
			for b.Loop() {
				benchmarkShape(b, shape)
			}
		})
	}
}

func benchmarkShape(b *testing.B, shape Shape) {
	subs := openSubscribers(1)
	subs[0].Shape = shape
	c := startCore(b, Config{Subscribers: subs})
	s := activate(b, c, subs[0])
	l, err := startDevice(b, s).Listen("tcp", ":7")
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	network, err := c.DialSIM(context.Background(), subs[0].SIMID, 7)
	if err != nil {
		b.Fatal(err)
	}
	defer network.Close()
	device, err := l.Accept()
	if err != nil {
		b.Fatal(err)
	}
	defer device.Close()
	rate := func(line Line, from, to net.Conn) float64 {
		n := line.Rate / 8 * 4                                   // 4 s
		go io.CopyN(from, endless{}, n+n/4)                      //
		if _, err := io.CopyN(io.Discard, to, n/4); err != nil { // the first second opens windows
			b.Fatal(err)
		}
		start := time.Now()
		if _, err := io.CopyN(io.Discard, to, n); err != nil {
			b.Fatal(err)
		}
		return float64(n) * 8 / time.Since(start).Seconds() * 1500 / 1448 // headers and the time stamp option
	}
	b.ReportMetric(100*rate(shape.Down, network, device)/float64(shape.Down.Rate), "%-of-down")
	b.ReportMetric(100*rate(shape.Up, device, network)/float64(shape.Up.Rate), "%-of-up")

	replies := make(chan struct{}, 1)
	s.Attach(func(packets [][]byte) error {
		for _, p := range packets { // acknowledgements of before may be on their way
			if p[9] == 1 {
				replies <- struct{}{}
			}
		}
		return nil
	})
	start := time.Now()
	s.Deliver(ping(s.Lease().Addr, c.cfg.Gateway))
	<-replies
	small := shape.Up.takes(36) + shape.Down.takes(36)
	b.ReportMetric(float64((time.Since(start)-small-shape.Up.Latency-shape.Down.Latency).Microseconds())/1000, "ms-off-latency")
}
