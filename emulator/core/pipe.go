package core

import (
	"context"
	"sync"
)

// pipeRoom is how many packets wait on a line that is not shaped: two batches, so that one fills while the other is carried.
const pipeRoom = 2 * carryBatch

// pipe is one direction of a session: a queue with one reader.
type pipe struct {
	wake chan struct{} // something is queued
	room chan struct{} // something was taken; whoever finds room passes it on

	mu    sync.Mutex
	queue []*packetBuffer
	head  int // of the queue
}

func newPipe() *pipe { return &pipe{wake: make(chan struct{}, 1), room: make(chan struct{}, 1)} }

// put copies a packet into the queue. It is false when the packet is lost: it is too long, or there is no room for it before
// until is closed; a nil until does not wait.
func (p *pipe) put(packet []byte, until <-chan struct{}) bool {
	if len(packet) > mtu {
		return false
	}
	for {
		p.mu.Lock()
		if len(p.queue)-p.head < pipeRoom {
			b := packetBuffers.Get().(*packetBuffer)
			b.n = copy(b.data[:], packet)
			p.queue = append(p.queue, b)
			more := len(p.queue)-p.head < pipeRoom
			p.mu.Unlock()
			signal(p.wake)
			if more {
				signal(p.room) // for the next one that waits
			}
			return true
		}
		p.mu.Unlock()
		if until == nil {
			return false
		}
		select {
		case <-p.room:
		case <-until:
			return false
		}
	}
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// run gives what is queued to carry, in order and at most carryBatch at a time, until ctx ends.
func (p *pipe) run(ctx context.Context, carry func([]*packetBuffer)) {
	var batch [carryBatch]*packetBuffer
	for {
		n := p.take(batch[:])
		if n == 0 {
			select {
			case <-ctx.Done():
				return
			case <-p.wake:
				continue
			}
		}
		if ctx.Err() == nil {
			carry(batch[:n])
		}
		for i, b := range batch[:n] {
			packetBuffers.Put(b)
			batch[i] = nil
		}
	}
}

// take removes the first packets of the queue.
func (p *pipe) take(batch []*packetBuffer) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := copy(batch, p.queue[p.head:])
	if n == 0 {
		return 0
	}
	clear(p.queue[p.head : p.head+n])
	if p.head += n; p.head == len(p.queue) {
		p.queue, p.head = p.queue[:0], 0
	} else if p.head >= pipeRoom { // so that the slice does not grow for ever
		rest := copy(p.queue, p.queue[p.head:])
		clear(p.queue[rest:])
		p.queue, p.head = p.queue[:rest], 0
	}
	signal(p.room)
	return n
}
