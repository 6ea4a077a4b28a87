package ppp

import (
	"io"
	"slices"
	"sync"

	"minato/agent/ppp/hdlc"
)

// maxQueued bounds the control frames that wait for a port that does not take them. What is beyond is lost as on a line:
// negotiation repeats itself, and a dead line is found by its echoes.
const maxQueued = 64

// writer is the way to the line. IP packets are written by whoever has them; the event loop's frames go through a queue, so that
// a port that does not take them cannot stop the loop.
type writer struct {
	port     io.Writer
	counters *counters

	mu      sync.Mutex // held during Write; guards what follows
	scratch []byte     // one buffer for every batch
	open    bool       // IP packets may be sent,
	accm    uint32     // framed so,
	header  []byte
	mtu     int // and so long

	queueMu sync.Mutex // guards what follows
	queue   []queued
	wake    chan struct{} // holds one token while queue has something
	closed  bool
}

// queued is a control frame, or a step to take once the frames before it are on the line.
type queued struct {
	frame []byte
	then  func()
}

func newWriter(port io.Writer, c *counters) *writer {
	return &writer{port: port, counters: c, wake: make(chan struct{}, 1)}
}

// writePackets frames the packets into one buffer and writes that.
func (w *writer) writePackets(packets [][]byte) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.open {
		w.counters.dropped.Add(uint64(len(packets)))
		return nil
	}
	buf, sent := w.scratch[:0], uint64(0)
	for _, p := range packets {
		if len(p) == 0 || len(p) > w.mtu {
			w.counters.dropped.Add(1)
			continue
		}
		buf = hdlc.AppendFrame(buf, w.accm, w.header, p)
		sent++
	}
	w.scratch = buf
	if err := w.writeLocked(buf); err != nil {
		return err
	}
	w.counters.packetsOut.Add(sent)
	w.counters.framesOut.Add(sent)
	return nil
}

// setIPLocked begins or, with mtu 0, ends the time in which IP packets are sent.
func (w *writer) setIPLocked(f framing, mtu int) {
	w.open, w.accm, w.mtu = mtu > 0, f.accm, mtu
	w.header = f.appendHeader(make([]byte, 0, maxHeader), ProtoIPv4)
}

func (w *writer) writeLocked(buf []byte) error {
	for len(buf) > 0 {
		n, err := w.port.Write(buf)
		w.counters.bytesOut.Add(uint64(max(n, 0)))
		if err != nil {
			return err
		}
		if n <= 0 {
			return io.ErrNoProgress
		}
		buf = buf[n:]
	}
	return nil
}

// enqueue never blocks.
func (w *writer) enqueue(q queued) {
	w.queueMu.Lock()
	defer w.queueMu.Unlock()
	if q.then == nil && len(w.queue) >= maxQueued {
		w.counters.dropped.Add(1)
		return
	}
	w.queue = append(w.queue, q)
	w.wakeLocked()
}

// closeQueue makes run return, with flush once it has written what waits.
func (w *writer) closeQueue(flush bool) {
	w.queueMu.Lock()
	defer w.queueMu.Unlock()
	w.closed = true
	if !flush {
		w.queue = nil
	}
	w.wakeLocked()
}

func (w *writer) wakeLocked() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// run writes the queue. It ends after closeQueue, or with the port's error.
func (w *writer) run() error {
	for range w.wake {
		w.queueMu.Lock()
		batch, closed := w.queue, w.closed
		w.queue = nil
		w.queueMu.Unlock()
		if err := w.flush(batch); err != nil {
			return err
		}
		if closed {
			return nil
		}
	}
	return nil
}

// flush writes frames that follow each other with one Write.
func (w *writer) flush(batch []queued) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	for len(batch) > 0 {
		n := slices.IndexFunc(batch, func(q queued) bool { return q.then != nil })
		if n == 0 {
			batch[0].then()
			batch = batch[1:]
			continue
		}
		if n < 0 {
			n = len(batch)
		}
		var buf []byte
		for _, q := range batch[:n] {
			buf = append(buf, q.frame...)
		}
		if err := w.writeLocked(buf); err != nil {
			return err
		}
		w.counters.framesOut.Add(uint64(n))
		batch = batch[n:]
	}
	return nil
}
