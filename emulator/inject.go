package emulator

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"minato/emulator/fault"
)

// ErrFault is returned by Inject when the fault cannot happen as the modem stands.
var ErrFault = errors.New("the fault cannot be injected now")

// ActiveFault is a fault that was injected and not cleared.
type ActiveFault struct {
	Name   string            `json:"name"`
	Modem  int               `json:"modem"`
	Params map[string]string `json:"params"`
	Since  time.Time         `json:"since"`
	Until  *time.Time        `json:"until"` // when it is cleared by itself; null: it is not
}

type activeFault struct {
	ActiveFault
	clear func()
	timer *time.Timer // nil: it stays
}

// Inject starts a fault; see package fault for names and parameters. A fault that is active already is cleared first.
func (m *Modem) Inject(name string, params map[string]string) error {
	return m.InjectFor(name, params, 0)
}

// InjectFor starts a fault that is cleared by itself after d, or not at all when d is 0. A fault that only happens once knows no
// duration.
func (m *Modem) InjectFor(name string, params map[string]string, d time.Duration) error {
	f, p, err := checkFault(name, params, d)
	if err != nil {
		return err
	}
	m.injecting.Lock()
	defer m.injecting.Unlock()
	if m.ended {
		return errClosed
	}
	m.clearWhere(func(a *activeFault) bool { return a.Name == name })
	clear, err := f.Inject(fault.Target{Modem: m.dce, Wires: &m.wires, Ports: m, Messages: m.message}, p)
	if err != nil {
		m.log.Warn("fault cannot be injected", "fault", name, "params", p, "error", err)
		m.events.publish(Event{Type: "fault", Modem: m.index, State: "failed", Fault: name, Params: p, Reason: err.Error()})
		return fmt.Errorf("%w: %w", ErrFault, err)
	}
	m.mu.Lock()
	m.injected[name]++
	m.mu.Unlock()
	m.log.Info("fault injected", "fault", name, "params", p, "for", d)
	m.events.publish(Event{Type: "fault", Modem: m.index, State: "injected", Fault: name, Params: p})
	if clear == nil {
		return nil
	}
	a := &activeFault{ActiveFault: ActiveFault{Name: name, Modem: m.index, Params: p, Since: time.Now()}, clear: clear}
	if d > 0 {
		until := a.Since.Add(d)
		a.Until = &until
		m.timers.Add(1)
		a.timer = time.AfterFunc(d, func() {
			defer m.timers.Done()
			m.expire(a)
		})
	}
	m.mu.Lock()
	m.faults = append(m.faults, a)
	m.mu.Unlock()
	return nil
}

// checkFault tells before anything happens whether it can.
func checkFault(name string, params map[string]string, d time.Duration) (fault.Fault, fault.Params, error) {
	f, err := fault.Find(name)
	if err != nil {
		return f, nil, err
	}
	p, err := f.Check(params)
	switch {
	case err != nil:
		return f, nil, err
	case d < 0:
		return f, nil, fmt.Errorf("fault %s: for %v: must not be negative", name, d)
	case d > 0 && f.Momentary:
		return f, nil, fmt.Errorf("fault %s: for %v: it happens once, and has no duration", name, d)
	}
	return f, p, nil
}

// Clear ends all faults of the modem, the latest first.
func (m *Modem) Clear() { m.clear(func(*activeFault) bool { return true }) }

// ClearFault ends one fault; it is false when that is not active.
func (m *Modem) ClearFault(name string) bool {
	return m.clear(func(a *activeFault) bool { return a.Name == name })
}

func (m *Modem) clear(which func(*activeFault) bool) bool {
	m.injecting.Lock()
	defer m.injecting.Unlock()
	return m.clearWhere(which)
}

// expire ends a fault whose time is over.
func (m *Modem) expire(over *activeFault) {
	m.clear(func(a *activeFault) bool { return a == over })
}

// clearWhere is called with injecting held.
func (m *Modem) clearWhere(which func(*activeFault) bool) bool {
	m.mu.Lock()
	var over []*activeFault
	m.faults = slices.DeleteFunc(m.faults, func(a *activeFault) bool {
		if which(a) {
			over = append(over, a)
			return true
		}
		return false
	})
	m.mu.Unlock()
	for _, a := range slices.Backward(over) {
		if a.timer != nil && a.timer.Stop() {
			m.timers.Done()
		}
		a.clear()
		m.log.Info("fault cleared", "fault", a.Name)
		m.events.publish(Event{Type: "fault", Modem: m.index, State: "cleared", Fault: a.Name})
	}
	return len(over) > 0
}

// endFaults leaves nothing behind at the end of Run.
func (m *Modem) endFaults() {
	m.Clear()
	m.injecting.Lock()
	m.ended = true
	m.injecting.Unlock()
	m.Clear() // what came in between
	m.timers.Wait()
}

// Unplug and Plug are for faults.
func (m *Modem) Unplug(name string) error {
	p, err := m.port(name)
	if err != nil {
		return err
	}
	if err := p.unplug(); err != nil {
		return err
	}
	m.events.publish(Event{Type: "port", Modem: m.index, State: "gone", Port: name, Path: p.path()})
	return nil
}

// Plug makes a new device for a port that was pulled out.
func (m *Modem) Plug(name, suffix string) error {
	p, err := m.port(name)
	if err != nil {
		return err
	}
	if err := p.plug(suffix); err != nil {
		m.log.Error("a port cannot be plugged in", "port", name, "error", err)
		return err
	}
	m.events.publish(Event{Type: "port", Modem: m.index, State: "there", Port: name, Path: p.path()})
	return nil
}

func (m *Modem) port(name string) (*port, error) {
	for _, p := range m.ports {
		if p.name == name {
			return p, nil
		}
	}
	return nil, fmt.Errorf("the modem has no port %q", name)
}
