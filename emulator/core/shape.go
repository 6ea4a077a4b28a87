package core

import (
	"fmt"
	"net"
	"strings"
	"time"
)

// Shape is how a radio link treats a session's packets. The zero value is a link that carries all of them at once.
type Shape struct {
	Up, Down Line // from the device, to the device
}

// Line is one direction of a link. Packets keep their order, whatever the jitter.
type Line struct {
	Rate    int64         // bits a second of IP packets; 0: not limited
	Latency time.Duration // added to what the rate takes
	Jitter  time.Duration // by how much the latency of a packet may be more or less; at most Latency
	Loss    float64       // the part of all packets that is lost, 0 to 1
}

// What a Line may be. The rate's lower end is one full packet in two minutes.
const (
	minRate    = 100
	maxRate    = 100_000_000_000
	maxLatency = time.Minute
)

func (s Shape) validate() error {
	if err := s.Up.validate(); err != nil {
		return fmt.Errorf("up: %w", err)
	}
	if err := s.Down.validate(); err != nil {
		return fmt.Errorf("down: %w", err)
	}
	return nil
}

func (l Line) validate() error {
	switch {
	case l.Rate != 0 && (l.Rate < minRate || l.Rate > maxRate):
		return fmt.Errorf("rate %d: want 0 or %d to %d bit/s", l.Rate, int64(minRate), int64(maxRate))
	case l.Latency < 0 || l.Latency > maxLatency:
		return fmt.Errorf("latency %v: want 0 to %v", l.Latency, maxLatency)
	case l.Jitter < 0 || l.Jitter > l.Latency:
		return fmt.Errorf("jitter %v: want 0 to the latency, %v", l.Jitter, l.Latency)
	case !(l.Loss >= 0 && l.Loss <= 1): // not a number, too
		return fmt.Errorf("loss %v: want 0 to 1", l.Loss)
	}
	return nil
}

// namedShape is an LTE category.
type namedShape struct {
	name  string
	shape Shape
}

// namedShapes have the peak rates of TS 36.306 tables 4.1-1 and 4.1-2, rounded as data sheets do; M1's are a Release 14 half-duplex modem's, NB1's
// Release 13's. No specification gives latencies: these are half of the round trips that are usual in quiet cells.
var namedShapes = []namedShape{
	{"cat1", symmetric(5_000_000, 10_000_000, 25*time.Millisecond)},
	{"cat4", symmetric(50_000_000, 150_000_000, 20*time.Millisecond)},
	{"catM1", symmetric(1_119_000, 588_000, 60*time.Millisecond)},
	{"nb1", symmetric(66_000, 26_000, 800*time.Millisecond)},
}

func symmetric(up, down int64, latency time.Duration) Shape {
	return Shape{Up: Line{Rate: up, Latency: latency}, Down: Line{Rate: down, Latency: latency}}
}

// ShapeNames lists the LTE categories that NamedShape knows.
func ShapeNames() (names []string) {
	for _, n := range namedShapes {
		names = append(names, n.name)
	}
	return names
}

// NamedShape gives an LTE category's shape, in whatever letters it is written.
func NamedShape(name string) (Shape, bool) {
	for _, n := range namedShapes {
		if strings.EqualFold(n.name, name) {
			return n.shape, true
		}
	}
	return Shape{}, false
}

// SetShape changes the link of a SIM, for its session and for those to come. Packets that are on their way keep their time.
func (c *Core) SetShape(simID string, shape Shape) error {
	if err := shape.validate(); err != nil {
		return fmt.Errorf("shaping SIM %q: %w", simID, err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended {
		return net.ErrClosed
	}
	sub := c.bySIM[strings.ToLower(simID)]
	if sub == nil {
		return fmt.Errorf("shaping SIM %q: %w", simID, ErrUnknownSIM)
	}
	sub.Shape = shape
	if sub.session != nil {
		sub.session.setShape(shape)
	}
	return nil
}

// setShape is called with Core.mu held and before the network has ended, since it may start a goroutine.
func (s *Session) setShape(shape Shape) {
	s.down.pipe.setLine(shape.Down)
	s.up.setLine(shape.Up)
	if shape.Up != (Line{}) && s.shaped.CompareAndSwap(false, true) {
		s.core.wg.Go(s.carryUp)
	}
}
