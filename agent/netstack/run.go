package netstack

import (
	"context"
	"errors"

	"gvisor.dev/gvisor/pkg/tcpip/stack"
	"gvisor.dev/gvisor/pkg/tcpip/transport/tcp"
)

// batchSize is when a call of Output takes no more packets than those of the segment that TCP handed over last.
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
	for range s.cfg.Queue { // each sends one of them at least
		pkt := s.link.Read()
		if pkt == nil {
			return
		}
		s.send(pkt)
	}
}

// send gives the link first and whatever waits behind it, up to a batch.
func (s *Stack) send(first *stack.PacketBuffer) {
	b := &s.batch
	packets, arena := b.packets[:0], b.arena[:0]
	for pkt := first; pkt != nil; pkt = s.link.Read() {
		s.link.take(pkt)
		packets, arena = appendPackets(packets, arena, pkt)
		pkt.DecRef()
		if len(packets) >= min(batchSize, s.cfg.Queue) {
			break
		}
	}
	b.packets, b.arena = packets, arena
	for _, p := range packets {
		offerLess(p)
	}
	s.stats.packetsOut.Add(uint64(len(packets)))
	s.stats.bytesOut.Add(uint64(len(arena)))
	if err := s.cfg.Output(packets); err != nil {
		s.stats.dropped.Add(uint64(len(packets)))
		s.log.Debug("the link refused packets", "packets", len(packets), "error", err)
	}
}

// batch is the pump's memory, so that sending allocates nothing once it has grown to what a full batch needs.
type batch struct {
	packets [][]byte
	arena   []byte // their octets
}
