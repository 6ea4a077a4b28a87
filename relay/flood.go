package relay

import (
	"net/netip"
	"sync"
	"time"

	"minato/relay/store"
)

const (
	floodWindow = 10 * time.Second
	floodEach   = 10    // refusals of one kind in a window that get an entry each; more are counted
	floodKinds  = 4_096 // counted apart; what goes beyond is counted as from no address
)

// refusal is what a flood has in common.
type refusal struct {
	mapping netip.AddrPort
	source  netip.Addr
	typ     store.EntryType
	code    string
}

// floods counts refusals, so that a million of them are one entry in the audit log and not a million.
type floods struct {
	clock Clock
	write func(store.Entry)

	mu     sync.Mutex
	open   map[refusal]*flood // guarded by mu
	timers sync.WaitGroup     // windows that are open
}

// flood is one window: it opens with the first refusal of its kind, and its end writes what was only counted.
type flood struct {
	seen    int
	counted int
	last    store.Entry
	stop    func() bool
}

// counts tells whether an entry shall be written by itself.
func (f *floods) counts(e store.Entry) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	kind := refusal{e.Destination, e.Source.Addr(), e.Type, e.Code}
	w := f.open[kind]
	if w == nil && len(f.open) >= floodKinds {
		kind.source = netip.Addr{}
		e.Source = netip.AddrPort{}
		w = f.open[kind]
	}
	if w == nil {
		w = &flood{}
		if f.open == nil {
			f.open = make(map[refusal]*flood)
		}
		f.open[kind] = w
		f.timers.Add(1)
		w.stop = f.clock.AfterFunc(floodWindow, func() { defer f.timers.Done(); f.end(kind) })
	}
	if w.seen++; w.seen <= floodEach {
		return true
	}
	w.counted++
	w.last = e
	return false
}

// end closes a window.
func (f *floods) end(kind refusal) {
	f.mu.Lock()
	w := f.open[kind]
	delete(f.open, kind)
	f.mu.Unlock()
	if w == nil || w.counted == 0 {
		return
	}
	e := w.last
	e.ConnectionID, e.Ladder, e.Duration = "", nil, 0 // of one of them, not of all
	e.Count = w.counted
	f.write(e)
}

// close ends all windows at once.
func (f *floods) close() {
	f.mu.Lock()
	var kinds []refusal
	for kind, w := range f.open {
		if w.stop() {
			f.timers.Done()
		}
		kinds = append(kinds, kind)
	}
	f.mu.Unlock()
	for _, kind := range kinds {
		f.end(kind)
	}
	f.timers.Wait()
}
