package netstack

import (
	"context"
	"errors"

	"gvisor.dev/gvisor/pkg/tcpip/stack"
	"gvisor.dev/gvisor/pkg/tcpip/transport/tcp"
)

// batchSize is the most packets that one call of Output takes.
const batchSize = 64

// Run moves packets from the stack to the link until ctx ends; then every connection and listener is closed and the stack
// destroyed. It returns nil on cancel.
func (s *Stack) Run(ctx context.Context) error {
	if !s.claimed.CompareAndSwap(false, true) {
		return errors.New("netstack: the host already runs, or was closed")
	}
	release := context.AfterFunc(ctx, s.cancel)
	defer release()
	close(s.ready)
	s.pump(s.ctx)
	s.end()
	return nil
}

// Close ends the host as the end of Run's context does, and makes Run return. It is for a host whose Run was never called, and
// may be called more than once and at any time, but not from Output. It returns when all is gone.
func (s *Stack) Close() {
	s.cancel()
	if s.claimed.CompareAndSwap(false, true) {
		s.end()
	}
	<-s.ended
}

// end resets every connection, tells the peers while the link is still there, and then takes the host apart in the order
// RemoveNIC, Close, Destroy: no packet comes in, none goes out, and nothing is left to wait for.
func (s *Stack) end() {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	for _, ep := range s.stack.RegisteredEndpoints() {
		if !inTimeWait(ep) {
			ep.Abort()
		}
	}
	select {
	case <-s.ready:
		s.drain()
	default: // Run was never called: nothing may be sent
	}
	s.stack.RemoveNIC(nicID)
	s.link.Close()
	s.stack.Destroy()
	close(s.ended)
}

// inTimeWait tells whether both sides of a TCP connection have ended already, so that the peer needs no word (RFC 9293, 3.6.1): a reset would
// make an orderly end look like a broken one. Destroy, with the link gone, frees these.
func inTimeWait(ep stack.TransportEndpoint) bool {
	e, ok := ep.(interface{ State() uint32 })
	return ok && tcp.EndpointState(e.State()) == tcp.StateTimeWait
}

// Ready is closed when packets flow.
func (s *Stack) Ready() <-chan struct{} { return s.ready }

// pump is the only reader of the stack's queue.
func (s *Stack) pump(ctx context.Context) {
	s.batch = newBatch(s.cfg.MTU)
	for {
		pkt := s.link.ReadContext(ctx)
		if pkt == nil {
			return
		}
		s.send(pkt)
	}
}

// drain sends what is in the queue now.
func (s *Stack) drain() {
	for range (s.cfg.Queue + batchSize - 1) / batchSize {
		pkt := s.link.Read()
		if pkt == nil {
			return
		}
		s.send(pkt)
	}
}

// send gives the link first and whatever waits behind it, up to a batch.
func (s *Stack) send(first *stack.PacketBuffer) {
	b := s.batch
	n, size := 0, 0
	for pkt := first; pkt != nil; pkt = s.link.Read() {
		b.held[n] = pkt
		size += pkt.Size()
		if n++; n == batchSize {
			break
		}
	}
	s.link.taken()
	if cap(b.arena) < size {
		b.arena = make([]byte, 0, size)
	}
	rest := b.arena[:0]
	for i, pkt := range b.held[:n] {
		p := flatten(rest, pkt)
		offerLess(p)
		b.packets[i] = p[:len(p):len(p)]
		rest = p[len(p):]
		pkt.DecRef()
		b.held[i] = nil
	}
	s.stats.packetsOut.Add(uint64(n))
	s.stats.bytesOut.Add(uint64(size))
	if err := s.cfg.Output(b.packets[:n]); err != nil {
		s.stats.dropped.Add(uint64(n))
		s.log.Debug("the link refused packets", "packets", n, "error", err)
	}
}

// batch is the pump's memory, so that sending allocates nothing.
type batch struct {
	held    [batchSize]*stack.PacketBuffer
	packets [batchSize][]byte
	arena   []byte // the packets' bytes, one after the other; grows to what a full batch needs
}

func newBatch(mtu int) *batch { return &batch{arena: make([]byte, 0, batchSize*mtu/4)} }

// flatten appends a packet, which gVisor keeps in several pieces, to dst.
func flatten(dst []byte, pkt *stack.PacketBuffer) []byte {
	views, skip := pkt.AsViewList()
	for v := views.Front(); v != nil; v = v.Next() {
		b := v.AsSlice()
		if skip >= len(b) {
			skip -= len(b)
			continue
		}
		dst = append(dst, b[skip:]...)
		skip = 0
	}
	return dst
}
