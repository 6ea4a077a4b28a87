package fault

import (
	"errors"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"minato/emulator/dce"
)

// Wire is a port's line with what is wrong with it: the modem reads and writes it in place of the line. With no fault it passes
// everything on, for the price of an atomic load.
type Wire struct {
	line   dce.Line
	name   string // the personality's: at or ppp
	taps   atomic.Pointer[[]*tap]
	online atomic.Bool
	early  []byte // Read's own: read, but not to be given yet

	mu     sync.Mutex
	stalls int           // guarded by mu: faults that keep the modem from reading
	readDL time.Time     // guarded by mu: as the modem wants it
	closed bool          // guarded by mu
	change chan struct{} // guarded by mu: closed and replaced when one of the three changes
}

var _ dce.Line = (*Wire)(nil)

// tap is what one fault does to the bytes of one port. A nil function does nothing.
type tap struct {
	in    func(b []byte) []byte  // what the user sent, which may be changed in place; gives what the modem reads
	out   func(b []byte) []piece // what the modem says, which must not be changed
	start func()
	stop  func()
}

// piece is a part of what is written.
type piece struct {
	gap  time.Duration // silence before it
	data []byte
}

func whole(b []byte) []piece { return []piece{{data: b}} }

// Online is told by the modem whether the port carries a data call.
func (w *Wire) Online(on bool) { w.online.Store(on) }

// Discard is the line's, where it has it.
func (w *Wire) Discard(most int) {
	if l, ok := w.line.(interface{ Discard(most int) }); ok {
		l.Discard(most)
	}
}

// timed is a line with a speed.
type timed interface{ Speed() (int, error) }

// timedWire is a wire whose line has a speed: that it has a Speed tells the modem so.
type timedWire struct {
	*Wire
	timed
}

// Line is what the modem gets.
func (w *Wire) Line() dce.Line {
	if l, ok := w.line.(timed); ok {
		return timedWire{w, l}
	}
	return w
}

func (w *Wire) tapped() []*tap {
	if list := w.taps.Load(); list != nil {
		return *list
	}
	return nil
}

// Read gives what the modem hears.
func (w *Wire) Read(b []byte) (int, error) {
	for {
		if err := w.awaitReader(); err != nil {
			return 0, err
		}
		n, err := copy(b, w.early), error(nil)
		w.early = w.early[n:]
		if n == 0 {
			n, err = w.line.Read(b)
		}
		if errors.Is(err, os.ErrDeadlineExceeded) && !w.late() {
			continue // a stall interrupted the read
		}
		if n == 0 || err != nil {
			return n, err
		}
		if w.stalled() { // the read that was interrupted may bring what has come since
			w.early = append(slices.Clone(b[:n]), w.early...)
			continue
		}
		left := b[:n]
		for _, t := range w.tapped() {
			if t.in != nil {
				left = t.in(left)
			}
		}
		if len(left) > 0 {
			return copy(b, left), nil
		}
	}
}

// Write says b, in the pieces that the faults make of it.
func (w *Wire) Write(b []byte) (int, error) {
	taps := w.tapped()
	if len(taps) == 0 {
		return w.line.Write(b)
	}
	pieces := whole(b)
	for _, t := range taps {
		if t.out == nil {
			continue
		}
		var next []piece
		for _, p := range pieces {
			made := t.out(p.data)
			if len(made) > 0 {
				made[0].gap += p.gap
			}
			next = append(next, made...)
		}
		pieces = next
	}
	for _, p := range pieces {
		if p.gap > 0 && len(w.tapped()) > 0 { // what is left when the fault is cleared goes out at once
			time.Sleep(p.gap)
		}
		if _, err := w.line.Write(p.data); err != nil {
			return 0, err
		}
	}
	return len(b), nil
}

// TryWrite leaves it to Write as long as there are faults, or when the line has none.
func (w *Wire) TryWrite(b []byte) (int, error) {
	if len(w.tapped()) > 0 {
		return 0, nil
	}
	return w.sendBack(b)
}

// sendBack writes to the user what goes at once; faults do not see it.
func (w *Wire) sendBack(b []byte) (int, error) {
	if l, ok := w.line.(interface{ TryWrite([]byte) (int, error) }); ok {
		return l.TryWrite(b)
	}
	return 0, nil
}

// SetReadDeadline is that of the line, also while a fault keeps the modem from reading.
func (w *Wire) SetReadDeadline(t time.Time) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.readDL = t
	w.changedLocked()
	if w.stalls > 0 {
		return nil
	}
	return w.line.SetReadDeadline(t)
}

// SetWriteDeadline is that of the line.
func (w *Wire) SetWriteDeadline(t time.Time) error { return w.line.SetWriteDeadline(t) }

// Close closes the line.
func (w *Wire) Close() error {
	w.mu.Lock()
	w.closed = true
	w.changedLocked()
	w.mu.Unlock()
	return w.line.Close()
}

func (w *Wire) changedLocked() {
	close(w.change)
	w.change = make(chan struct{})
}

func (w *Wire) stalled() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.stalls > 0
}

// late tells whether the modem's own deadline has passed.
func (w *Wire) late() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.stalls == 0 && !w.readDL.IsZero() && !time.Now().Before(w.readDL)
}

// stall keeps the modem from reading, until resume; a read under way is interrupted.
func (w *Wire) stall() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.stalls++
	w.changedLocked()
	w.line.SetReadDeadline(time.Unix(1, 0))
}

func (w *Wire) resume() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.stalls--
	w.changedLocked()
	if w.stalls == 0 {
		w.line.SetReadDeadline(w.readDL)
	}
}

// awaitReader returns when the modem may read, with an error when it is to end instead.
func (w *Wire) awaitReader() error {
	for {
		w.mu.Lock()
		stalled, closed, deadline, change := w.stalls > 0, w.closed, w.readDL, w.change
		w.mu.Unlock()
		switch {
		case !stalled:
			return nil
		case closed:
			return os.ErrClosed
		}
		var timeout <-chan time.Time
		if !deadline.IsZero() {
			left := time.Until(deadline)
			if left <= 0 {
				return os.ErrDeadlineExceeded
			}
			timeout = time.After(left)
		}
		select {
		case <-change:
		case <-timeout:
		}
	}
}

// add and remove change the list; the Wires that own the wire serialise them.
func (w *Wire) add(t *tap) {
	next := append(slices.Clone(w.tapped()), t)
	w.taps.Store(&next)
	if t.start != nil {
		t.start()
	}
}

func (w *Wire) remove(t *tap) {
	next := slices.DeleteFunc(slices.Clone(w.tapped()), func(o *tap) bool { return o == t })
	if len(next) == 0 {
		w.taps.Store(nil)
	} else {
		w.taps.Store(&next)
	}
	if t.stop != nil {
		t.stop()
	}
}
