package netstack

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
)

// SwitchConfig describes a userspace internet. The zero value is one without capture.
type SwitchConfig struct {
	Capture func(packet []byte) // is shown every packet and must not keep it, from several goroutines; one that blocks holds the network up. nil: none
	MTU     int                 // of every host; 0: 1500
	Queue   int                 // of every host; 0: 256
	Logger  *slog.Logger        // nil: silent
}

// Switch joins the stacks of a test into one internet: packets go to the stack that owns their destination, and every packet is
// offered to the capture. It has no queue of its own: a sender's pump hands a packet to the receiver's stack, which takes it or
// drops it and never waits, so that no ring of full queues can stop the network.
type Switch struct {
	cfg   SwitchConfig
	ready chan struct{}
	lost  atomic.Uint64

	mu     sync.RWMutex
	owners map[netip.Addr]*Stack
	hosts  []*Stack
	ctx    context.Context // of Run; nil before
	ended  bool
	wg     sync.WaitGroup // the hosts' Run
}

// NewSwitch makes an internet without hosts. Run must be called, or each host closed.
func NewSwitch(cfg SwitchConfig) *Switch {
	if cfg.Capture == nil {
		cfg.Capture = func([]byte) {}
	}
	return &Switch{cfg: cfg, ready: make(chan struct{}), owners: make(map[netip.Addr]*Stack)}
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

// Run runs the hosts until ctx ends, and waits for them. It returns nil on cancel.
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

	<-ctx.Done()
	w.mu.Lock()
	w.ended = true
	w.mu.Unlock()
	w.wg.Wait()
	return nil
}

// runLocked starts a host's Run, which ends with the switch's context and which the switch's Run waits for.
func (w *Switch) runLocked(h *Stack) {
	ctx := w.ctx
	w.wg.Go(func() { h.Run(ctx) })
}

// Ready is closed when the hosts run.
func (w *Switch) Ready() <-chan struct{} { return w.ready }

// Lost counts packets to addresses that nobody owns.
func (w *Switch) Lost() uint64 { return w.lost.Load() }

// forward runs in the sender's pump.
func (w *Switch) forward(from *Stack, packets [][]byte) {
	for _, p := range packets {
		w.cfg.Capture(p)
		w.mu.RLock()
		to := w.owners[destination(p)]
		w.mu.RUnlock()
		if to != nil {
			to.Deliver(p)
			continue
		}
		w.lost.Add(1)
		if answer := unreachable(p); answer != nil {
			w.cfg.Capture(answer)
			from.Deliver(answer)
		}
	}
}
