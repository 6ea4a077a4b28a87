package core

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

const (
	pipeRoom   = 2 * carryBatch         // packets on a line without a rate: one batch fills while the other is carried
	pipeDelay  = 100 * time.Millisecond // how long packets may wait for a line with a rate, beside its round trip
	pipeFew    = 4                      // full packets that find room whatever the rate
	pipeFlight = 8192                   // packets that are on their way on a line with a latency
)

// pipe is one direction of a session: a queue with one reader, and the line behind it. What a packet takes is reckoned when it comes, on the
// line's own clock, so that a reader who is late (as on a busy machine) makes single packets late and changes no rate.
type pipe struct {
	rand          func() float64
	wake          chan struct{} // something is queued
	room          chan struct{} // something was taken; whoever finds room passes it on
	dropped, lost atomic.Uint64 // for want of room, by the line

	mu    sync.Mutex
	line  Line
	queue []*packetBuffer
	head  int       // of the queue
	bytes int       // in the queue
	free  time.Time // when a line with a rate will have sent all that it was given
	last  time.Time // when the packet before arrives
}

func newPipe(rand func() float64) *pipe {
	return &pipe{rand: rand, wake: make(chan struct{}, 1), room: make(chan struct{}, 1)}
}

// setLine changes the line for packets to come.
func (p *pipe) setLine(l Line) {
	p.mu.Lock()
	p.line = l
	p.free = time.Time{}
	p.mu.Unlock()
	signal(p.room)
}

// put copies a packet into the queue; false when the packet is lost. On a line without a rate it waits for room until that channel is closed,
// and not at all when it is nil. A line with a rate drops what it has no room for, as a base station does.
func (p *pipe) put(packet []byte, until <-chan struct{}) bool {
	if len(packet) > mtu {
		p.dropped.Add(1)
		return false
	}
	p.mu.Lock()
	if p.line.Loss > 0 && p.rand() < p.line.Loss {
		p.mu.Unlock()
		p.lost.Add(1)
		return false
	}
	for {
		due, ok := p.admitLocked(len(packet))
		if ok {
			b := packetBuffers.Get().(*packetBuffer)
			b.n, b.due = copy(b.data[:], packet), due
			p.queue = append(p.queue, b)
			p.bytes += b.n
			p.mu.Unlock()
			signal(p.wake)
			signal(p.room) // for the next one that waits
			return true
		}
		dropping := until == nil || p.line.Rate > 0
		p.mu.Unlock()
		if dropping {
			p.dropped.Add(1)
			return false
		}
		select {
		case <-p.room:
		case <-until:
			p.dropped.Add(1)
			return false
		}
		p.mu.Lock()
	}
}

// admitLocked tells when a packet arrives, and whether there is room for it. The zero time means at once.
func (p *pipe) admitLocked(size int) (due time.Time, ok bool) {
	l, queued := &p.line, len(p.queue)-p.head
	if *l == (Line{Loss: l.Loss}) {
		return time.Time{}, queued < pipeRoom
	}
	now := time.Now()
	due = now
	if l.Rate > 0 {
		limit := l.room()
		start := now
		if p.free.After(now) {
			start = p.free
		}
		end := start.Add(l.takes(size))
		// The second is for a modem that does not take what has arrived.
		if end.Sub(now) > limit || float64(p.bytes) > float64(l.Rate)/8*(limit+l.Latency+l.Jitter).Seconds()+carryBatch*mtu {
			return due, false
		}
		p.free, due = end, end
	} else if queued >= pipeFlight {
		return due, false
	}
	due = due.Add(l.Latency)
	if l.Jitter > 0 {
		due = due.Add(time.Duration((2*p.rand() - 1) * float64(l.Jitter)))
	}
	if due.Before(p.last) {
		due = p.last
	}
	p.last = due
	return due, true
}

// room is how long a packet may wait for a line with a rate: what TCP needs to keep a line of this latency full, and little more.
func (l *Line) room() time.Duration { return max(pipeDelay+2*l.Latency, pipeFew*l.takes(mtu)) }

// takes is how long the line sends a packet.
func (l *Line) takes(size int) time.Duration {
	return time.Duration(float64(size) * 8 / float64(l.Rate) * float64(time.Second))
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// run gives what has arrived to carry, in order and at most carryBatch at a time, until ctx ends.
func (p *pipe) run(ctx context.Context, carry func([]*packetBuffer)) {
	var batch [carryBatch]*packetBuffer
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for ctx.Err() == nil {
		n, wait := p.take(batch[:])
		if n > 0 {
			carry(batch[:n])
			for i, b := range batch[:n] {
				packetBuffers.Put(b)
				batch[i] = nil
			}
			continue
		}
		arrival := (<-chan time.Time)(nil)
		if wait > 0 {
			timer.Reset(wait)
			arrival = timer.C
		}
		select {
		case <-ctx.Done():
		case <-p.wake: // what is queued behind another packet arrives no earlier; but the queue may have been empty
		case <-arrival:
		}
	}
}

// take removes the packets that have arrived. When there is none it tells how long until the first one does; 0: nothing is queued.
func (p *pipe) take(batch []*packetBuffer) (n int, wait time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var now time.Time
	for n < len(batch) && p.head+n < len(p.queue) {
		b := p.queue[p.head+n]
		if !b.due.IsZero() {
			if now.IsZero() {
				now = time.Now()
			}
			if wait = b.due.Sub(now); wait > 0 {
				break
			}
		}
		batch[n] = b
		p.bytes -= b.n
		n++
	}
	if n == 0 {
		return 0, wait
	}
	clear(p.queue[p.head : p.head+n])
	if p.head += n; p.head == len(p.queue) {
		p.queue, p.head = p.queue[:0], 0
	} else if p.head >= pipeRoom && p.head*2 >= len(p.queue) { // so that the slice does not grow for ever
		rest := copy(p.queue, p.queue[p.head:])
		clear(p.queue[rest:])
		p.queue, p.head = p.queue[:rest], 0
	}
	signal(p.room)
	return n, 0
}
