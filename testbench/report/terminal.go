package report

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"
)

// Terminal shows a run while it happens: on a terminal a live line for what runs, one row as each result comes, and the counts at
// the end. Into a pipe go the rows alone, as WriteTable writes them. Its methods may be called by several goroutines.
type Terminal struct {
	w     io.Writer
	live  bool
	table table
	stop  chan struct{}
	done  chan struct{} // closed when tick has ended

	mu      sync.Mutex
	running []running // guarded by mu
	begun   bool      // guarded by mu: the header is written
	closed  bool      // guarded by mu
}

type running struct {
	name  string
	since time.Time
}

// NewTerminal takes the names of all scenarios to align the rows. Close it.
func NewTerminal(w io.Writer, names []string) *Terminal {
	return newTerminal(w, names, IsTerminal(w))
}

func newTerminal(w io.Writer, names []string, live bool) *Terminal {
	t := &Terminal{w: w, live: live, table: newTable(names, live), stop: make(chan struct{}), done: make(chan struct{})}
	if live {
		go t.tick()
	} else {
		close(t.done)
	}
	return t
}

// tick keeps the time on the live line and ends with Close.
func (t *Terminal) tick() {
	defer close(t.done)
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			t.mu.Lock()
			t.printLocked("")
			t.mu.Unlock()
		case <-t.stop:
			return
		}
	}
}

// Begin says that name runs now.
func (t *Terminal) Begin(name string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.running = append(t.running, running{name, time.Now()})
	t.printLocked("")
}

// Done writes the row of a result.
func (t *Terminal) Done(r Result) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if i := slices.IndexFunc(t.running, func(x running) bool { return x.name == r.Name }); i >= 0 {
		t.running = slices.Delete(t.running, i, i+1)
	}
	t.printLocked(t.table.row(r))
}

// Close writes the counts and ends the live line. A second call does nothing.
func (t *Terminal) Close(run Run) {
	t.mu.Lock()
	if t.closed {
		t.mu.Unlock()
		return
	}
	t.closed, t.running = true, nil
	t.printLocked(t.table.counts(run.withDefaults()))
	t.mu.Unlock()
	close(t.stop)
	<-t.done
}

// printLocked writes lines in place of the live line, and the live line anew under them.
func (t *Terminal) printLocked(lines string) {
	var b strings.Builder
	if t.live {
		b.WriteString("\r\x1b[K")
	}
	if !t.begun && (t.live || lines != "") {
		t.begun = true
		b.WriteString(t.table.header())
	}
	b.WriteString(lines)
	if t.live && len(t.running) > 0 {
		var parts []string
		for _, r := range t.running {
			parts = append(parts, fmt.Sprintf("%s %s", OneLine(r.name), time.Since(r.since).Truncate(time.Second)))
		}
		b.WriteString(t.table.paint("2", clip("running "+strings.Join(parts, ", "), 79))) // a longer line would wrap and could not be taken back
	}
	io.WriteString(t.w, b.String()) // a terminal that is gone is no reason to end a run
}
