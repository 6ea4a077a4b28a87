package emulator

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"

	"minato/emulator/dce"
	"minato/emulator/fault"
	"minato/emulator/pty"
)

// port is one of a modem's pseudo-terminals. A fault may pull it out and plug it in again.
type port struct {
	name  string // the personality's
	wires *fault.Wires

	mu      sync.Mutex
	dir     string
	link    string        // guarded by mu: the stable name, the last one while it is pulled out
	wire    *fault.Wire   // guarded by mu; nil: pulled out
	changed chan struct{} // guarded by mu: closed and replaced when wire changes
	closed  bool          // guarded by mu: it never comes back
}

var errClosed = errors.New("the emulator has ended")

func newPort(name string, wires *fault.Wires) *port {
	return &port{name: name, wires: wires, changed: make(chan struct{})}
}

// open makes the device for the first time.
func (p *port) open(dir string) error {
	p.mu.Lock()
	p.dir = dir
	p.mu.Unlock()
	return p.plug("")
}

// plug makes a new device, under the port's name with suffix.
func (p *port) plug(suffix string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.closed:
		return errClosed
	case p.wire != nil:
		return fmt.Errorf("port %s: it is plugged in", p.name)
	}
	p.link = filepath.Join(p.dir, p.name+suffix)
	device, err := pty.Open(p.link)
	if err != nil {
		return err
	}
	p.setLocked(p.wires.New(device, p.name))
	return nil
}

// unplug ends the device.
func (p *port) unplug() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.wire == nil {
		return fmt.Errorf("port %s: it is not plugged in", p.name)
	}
	p.wires.Drop(p.wire)
	err := p.wire.Close()
	p.setLocked(nil)
	return err
}

// close is unplug for good.
func (p *port) close() {
	p.unplug() // an error is that it is pulled out already, or that somebody took the name away
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
}

func (p *port) setLocked(w *fault.Wire) {
	p.wire = w
	close(p.changed)
	p.changed = make(chan struct{})
}

// path is the stable name of the device.
func (p *port) path() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.link
}

// next waits for a device other than last; it is nil when ctx ends before.
func (p *port) next(ctx context.Context, last *fault.Wire) *fault.Wire {
	for {
		p.mu.Lock()
		w, changed := p.wire, p.changed
		p.mu.Unlock()
		if w != nil && w != last {
			return w
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil
		}
	}
}

// serve lets the modem have the port's devices, one after the other, until ctx ends.
func (p *port) serve(ctx context.Context, m *dce.Modem) error {
	var last *fault.Wire
	for {
		w := p.next(ctx, last)
		if w == nil {
			return nil
		}
		if err := m.Serve(ctx, w.Line(), p.name); err != nil {
			return err
		}
		last = w
	}
}
