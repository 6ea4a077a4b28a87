package dce

import (
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// maxBacklog is what a port keeps for a user who does not read, beyond what the kernel keeps. More is dropped, as a UART
// without flow control drops it: the modem's other ports must not wait.
const maxBacklog = 64 << 10

// output is the only writer of a line. Command state uses send, which never blocks; data mode uses write, which does.
type output struct {
	line    Line
	try     func([]byte) (int, error) // nil when the line has no non-blocking write
	dropped atomic.Uint64             // bytes

	mu      sync.Mutex
	changed sync.Cond // busy, backlog or closed changed
	backlog []byte    // guarded by mu
	busy    bool      // guarded by mu: a blocking write is under way
	closed  bool      // guarded by mu
}

func newOutput(line Line) *output {
	o := &output{line: line}
	o.changed.L = &o.mu
	if t, ok := line.(interface{ TryWrite([]byte) (int, error) }); ok {
		o.try = t.TryWrite
	}
	return o
}

// send puts b on the line, whole or not at all. What does not go at once is left to flush.
func (o *output) send(b []byte) {
	if len(b) == 0 {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.try != nil && !o.busy && len(o.backlog) == 0 {
		n, err := o.try(b)
		if err != nil || n == len(b) {
			return // an error is the reader's to see: Read ends with it
		}
		b = b[n:]
		if n > 0 { // the rest belongs to what is already on the line
			o.backlog = append(o.backlog, b...)
			o.changed.Broadcast()
			return
		}
	}
	if len(o.backlog)+len(b) > maxBacklog {
		o.dropped.Add(uint64(len(b)))
		return
	}
	o.backlog = append(o.backlog, b...)
	o.changed.Broadcast()
}

// flush writes the backlog. It ends after close.
func (o *output) flush() {
	o.mu.Lock()
	defer o.mu.Unlock()
	for {
		for !o.closed && (o.busy || len(o.backlog) == 0) {
			o.changed.Wait()
		}
		if o.closed {
			return
		}
		chunk := o.backlog
		o.backlog = nil
		o.busy = true
		o.mu.Unlock()
		n, err := o.line.Write(chunk)
		if l, ok := o.line.(interface{ Settle() error }); ok && err == nil {
			l.Settle() // its error is the next Write's
		}
		o.mu.Lock()
		if err != nil {
			o.dropped.Add(uint64(len(chunk) - n))
		}
		o.busy = false
		o.changed.Broadcast()
	}
}

// write puts data on the line behind everything before it and blocks while the user does not read.
func (o *output) write(b []byte) (int, error) {
	o.mu.Lock()
	for !o.closed && (o.busy || len(o.backlog) > 0) {
		o.changed.Wait()
	}
	if o.closed {
		o.mu.Unlock()
		return 0, os.ErrClosed
	}
	o.busy = true
	o.mu.Unlock()
	n, err := o.line.Write(b)
	o.mu.Lock()
	o.busy = false
	o.changed.Broadcast()
	o.mu.Unlock()
	return n, err
}

// drain waits until what was sent is on the line, but not longer than a user who reads makes it.
func (o *output) drain() {
	o.mu.Lock()
	defer o.mu.Unlock()
	late := false
	timer := time.AfterFunc(writeGrace, func() {
		o.mu.Lock()
		defer o.mu.Unlock()
		late = true
		o.changed.Broadcast()
	})
	defer timer.Stop()
	for !late && !o.closed && (o.busy || len(o.backlog) > 0) {
		o.changed.Wait()
	}
}

// discard forgets what nobody read, when the user has closed the port.
func (o *output) discard() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.backlog = nil
	o.changed.Broadcast()
}

func (o *output) close() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.closed = true
	o.changed.Broadcast()
}
