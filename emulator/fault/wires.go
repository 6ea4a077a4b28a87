package fault

import (
	"slices"
	"sync"

	"minato/emulator/dce"
)

// Wires are all wires of one modem, those of connections to come included. The zero value is ready.
type Wires struct {
	mu     sync.Mutex
	wires  []*Wire  // guarded by mu
	faults []*wired // guarded by mu
}

// wired is a fault of the line, on all wires that it is for.
type wired struct {
	port  string
	fresh func(w *Wire) *tap
	taps  map[*Wire]*tap
}

func (f *wired) hits(w *Wire) bool { return f.port == allPorts || f.port == w.name }

// New puts a wire in front of a line; Drop must follow.
func (s *Wires) New(line dce.Line, port string) *Wire {
	w := &Wire{line: line, name: port, change: make(chan struct{})}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.wires = append(s.wires, w)
	for _, f := range s.faults {
		if f.hits(w) {
			f.taps[w] = f.fresh(w)
			w.add(f.taps[w])
		}
	}
	return w
}

// Drop forgets a wire that is no longer served.
func (s *Wires) Drop(w *Wire) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.wires = slices.DeleteFunc(s.wires, func(o *Wire) bool { return o == w })
	for _, f := range s.faults {
		delete(f.taps, w)
	}
}

// tap puts a fault on the wires of a port, each with a tap of its own.
func (s *Wires) tap(port string, fresh func(w *Wire) *tap) (remove func()) {
	f := &wired{port: port, fresh: fresh, taps: map[*Wire]*tap{}}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = append(s.faults, f)
	for _, w := range s.wires {
		if f.hits(w) {
			f.taps[w] = fresh(w)
			w.add(f.taps[w])
		}
	}
	return func() { s.untap(f) }
}

func (s *Wires) untap(f *wired) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = slices.DeleteFunc(s.faults, func(o *wired) bool { return o == f })
	for w, t := range f.taps {
		w.remove(t)
	}
}
