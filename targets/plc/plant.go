// Package plc is a small simulated plant and the Modbus/TCP server in front of it. The plant is a tank: a pump fills it, a valve
// empties it, and a two-point controller holds its level. Everything that can be read or written over Modbus stands in the table
// Registers, which also prints the documentation.
package plc

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"time"
)

const (
	// StepInterval is how much plant time one Step is.
	StepInterval = 200 * time.Millisecond

	// HistoryLength is how many seconds of levels a plant remembers.
	HistoryLength = 180
)

// ErrTankFull refuses a start of the pump at the high-level mark.
var ErrTankFull = errors.New("starting the pump: the tank is full")

// ErrOutOfRange refuses a set value that the plant has no such position for.
var ErrOutOfRange = errors.New("the value is out of range")

// Config of a plant. The zero value is a good plant.
type Config struct {
	Seed uint64 // of the noise on temperature and flow; the same seed and the same calls give the same values
	// Tick gives a channel that fires every d, and its stop. nil: the real time.
	Tick func(d time.Duration) (c <-chan time.Time, stop func())
}

// Values is everything that can be seen of the plant at one moment.
type Values struct {
	Uptime      time.Duration `json:"uptime_ns"`   // plant time since the start
	Level       float64       `json:"level"`       // %, 0-100
	Setpoint    float64       `json:"setpoint"`    // %, what the controller holds
	Valve       float64       `json:"valve"`       // % open, 0-100
	Inflow      float64       `json:"inflow"`      // l/s, from the pump
	Outflow     float64       `json:"outflow"`     // l/s, through the valve
	Temperature float64       `json:"temperature"` // °C, of the water
	Pump        bool          `json:"pump"`        // on, by hand or by the controller
	Automatic   bool          `json:"automatic"`   // the controller switches the pump
	HighLevel   bool          `json:"high_level"`  // at or above HighLevelMark
	LowLevel    bool          `json:"low_level"`   // at or below LowLevelMark
	PumpStarts  uint16        `json:"pump_starts"` // since the start; wraps
	Volume      float64       `json:"volume"`      // l, pumped since the start
}

// Plant is safe for concurrent use. It moves only by Step, or by Run, which calls Step.
type Plant struct {
	cfg Config

	mu          sync.Mutex // guards what follows
	state       Values
	steps       uint64
	noise       *rand.Rand
	history     [HistoryLength]uint16 // ring of levels in 0.1 %, one a second
	seconds     int                   // how many were ever put in
	scratch     [scratchCount]uint16
	subscribers map[chan Values]struct{}
}

// New gives a plant at rest at 45 %, with the controller on.
func New(cfg Config) *Plant {
	if cfg.Tick == nil {
		cfg.Tick = func(d time.Duration) (<-chan time.Time, func()) {
			t := time.NewTicker(d)
			return t.C, t.Stop
		}
	}
	return &Plant{
		cfg:         cfg,
		noise:       rand.New(rand.NewPCG(cfg.Seed, 0x6d696e61746f)),
		state:       Values{Level: 45, Setpoint: 60, Valve: 40, Temperature: 18, Automatic: true},
		subscribers: make(map[chan Values]struct{}),
	}
}

// Run steps the plant until ctx ends.
func (p *Plant) Run(ctx context.Context) error {
	tick, stop := p.cfg.Tick(StepInterval)
	defer stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick:
			p.Step()
		}
	}
}

// Step moves the plant by StepInterval and tells the subscribers.
func (p *Plant) Step() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.steps++
	p.state.advance(StepInterval, p.noise)
	if p.steps%uint64(time.Second/StepInterval) == 0 {
		p.history[p.seconds%HistoryLength] = tenths(p.state.Level)
		p.seconds++
	}
	p.publishLocked()
}

// Values is a snapshot.
func (p *Plant) Values() Values {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.state
}

// Subscribe gives the newest Values after each change; what is not read in time is replaced by what is newer, so that a slow
// reader delays nobody. stop ends the subscription; the channel is not closed.
func (p *Plant) Subscribe() (changes <-chan Values, stop func()) {
	c := make(chan Values, 1)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.subscribers[c] = struct{}{}
	return c, func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		delete(p.subscribers, c)
	}
}

// publishLocked never blocks: it is the only sender, so the second send finds the place that it made or that a reader made.
func (p *Plant) publishLocked() {
	for c := range p.subscribers {
		select {
		case c <- p.state:
		default:
			select {
			case <-c:
			default:
			}
			c <- p.state
		}
	}
}
