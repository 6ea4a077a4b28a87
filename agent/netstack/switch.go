package netstack

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"minato/agent/netstack/capture"
)

// flushInterval is how long a packet may wait before a reader of the capture sees it.
const flushInterval = time.Second

// SwitchConfig describes a userspace internet. The zero value is one without capture.
type SwitchConfig struct {
	Capture io.Writer    // nil: no capture. Otherwise pcapng, LINKTYPE_RAW; one that blocks holds the network up
	MTU     int          // of every host; 0: 1500
	Queue   int          // of every host; 0: 256
	Logger  *slog.Logger // nil: silent
}

// Switch joins the stacks of a test into one internet: packets go to the stack that owns their destination, and every packet is
// offered to the capture. It has no queue of its own: a sender's pump hands a packet to the receiver's stack, which takes it or
// drops it and never waits, so that no ring of full queues can stop the network.
type Switch struct {
	cfg     SwitchConfig
	log     *slog.Logger
	capture *capture.Writer // nil: none
	ready   chan struct{}
	lost    atomic.Uint64

	mu     sync.RWMutex
	owners map[netip.Addr]*Stack
	hosts  []*Stack
	ctx    context.Context // of Run; nil before
	ended  bool
	wg     sync.WaitGroup // the hosts' Run
}

// NewSwitch makes an internet without hosts. Run must be called, or each host closed.
func NewSwitch(cfg SwitchConfig) (*Switch, error) {
	w := &Switch{cfg: cfg, log: cfg.Logger, ready: make(chan struct{}), owners: make(map[netip.Addr]*Stack)}
	if w.log == nil {
		w.log = slog.New(slog.DiscardHandler)
	}
	if cfg.Capture != nil {
		c, err := capture.New(cfg.Capture)
		if err != nil {
			return nil, err
		}
		w.capture = c
	}
	return w, nil
}

// Host adds a host with these addresses, before or while the switch runs. The switch runs the host.
func (w *Switch) Host(addrs ...netip.Addr) (*Stack, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.ended {
		return nil, net.ErrClosed
	}
	for _, a := range addrs {
		if w.owners[a] != nil {
			return nil, fmt.Errorf("address %q belongs to another host", a)
		}
	}
	var host *Stack
	host, err := New(Config{
		Addrs: addrs, MTU: w.cfg.MTU, Queue: w.cfg.Queue, Logger: w.cfg.Logger,
		Output: func(packets [][]byte) error { w.forward(host, packets); return nil },
	})
	if err != nil {
		return nil, err
	}
	for _, a := range addrs {
		w.owners[a] = host
	}
	w.hosts = append(w.hosts, host)
	if w.ctx != nil {
		w.runLocked(host)
	}
	return host, nil
}

// Run runs the hosts until ctx ends, and flushes the capture. It returns nil on cancel.
func (w *Switch) Run(ctx context.Context) error {
	w.mu.Lock()
	if w.ctx != nil {
		w.mu.Unlock()
		return errors.New("netstack: the switch already runs")
	}
	w.ctx = ctx
	for _, h := range w.hosts {
		w.runLocked(h)
	}
	w.mu.Unlock()
	close(w.ready)

	tick := time.NewTicker(flushInterval)
	defer tick.Stop()
	for running := true; running; {
		select {
		case <-tick.C:
			if err := w.Flush(); err != nil {
				w.log.Warn("capture failed", "error", err)
				tick.Stop()
			}
		case <-ctx.Done():
			running = false
		}
	}
	w.mu.Lock()
	w.ended = true
	w.mu.Unlock()
	w.wg.Wait()
	return w.Flush()
}

// runLocked starts a host's Run, which ends with the switch's context and which the switch's Run waits for.
func (w *Switch) runLocked(h *Stack) {
	ctx := w.ctx
	w.wg.Go(func() { h.Run(ctx) })
}

// Ready is closed when the hosts run.
func (w *Switch) Ready() <-chan struct{} { return w.ready }

// Flush writes all captured packets so far; a capture that failed is told here.
func (w *Switch) Flush() error {
	if w.capture == nil {
		return nil
	}
	return w.capture.Flush()
}

// Lost counts packets to addresses that nobody owns.
func (w *Switch) Lost() uint64 { return w.lost.Load() }

// forward runs in the sender's pump.
func (w *Switch) forward(from *Stack, packets [][]byte) {
	for _, p := range packets {
		if w.capture != nil {
			w.capture.Packet(0, capture.Unknown, p)
		}
		w.mu.RLock()
		to := w.owners[destination(p)]
		w.mu.RUnlock()
		if to != nil {
			to.Deliver(p)
			continue
		}
		w.lost.Add(1)
		if answer := unreachable(p); answer != nil {
			if w.capture != nil {
				w.capture.Packet(0, capture.Unknown, answer)
			}
			from.Deliver(answer)
		}
	}
}
