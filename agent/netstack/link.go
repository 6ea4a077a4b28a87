package netstack

import (
	"sync/atomic"
	"time"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/link/channel"
	"gvisor.dev/gvisor/pkg/tcpip/stack"
	"gvisor.dev/gvisor/pkg/tcpip/transport/tcp"
)

// stallLimit is how long TCP waits for a link that takes nothing. It holds locks of its connections meanwhile; but on a busy machine the
// link's own goroutine may not run for 100 ms, and giving up then costs every connection a retransmission time-out.
const stallLimit = 500 * time.Millisecond

// link is the queue between the stack and the pump.
//
// What TCP sends of its own will waits for room, as it does on a kernel with small queues (TSQ): dropping in one's own queue costs
// retransmissions and, on several connections at once, seconds of RTO. What answers a packet (ICMP, resets, acknowledgements) never
// waits, so that two hosts, each inside the other's Deliver, cannot hold each other up; a quarter of the queue is kept for it. When
// the link stands still, the wait is given up once and everything is dropped until it moves again.
type link struct {
	*channel.Endpoint
	dropped *atomic.Uint64
	length  int64         // of the queue, in packets of the link
	limit   int64         // of the queue, for what may wait
	queued  atomic.Int64  // packets of the link in it
	room    chan struct{} // the pump took packets; whoever finds room passes it on
	stalled atomic.Bool
	done    <-chan struct{} // nobody waits after this
}

func newLink(queue, mtu int, dropped *atomic.Uint64, done <-chan struct{}) *link {
	return &link{
		Endpoint: channel.New(queue, uint32(mtu), ""), dropped: dropped,
		length: int64(queue), limit: int64(max(queue-queue/4, 1)), room: make(chan struct{}, 1), done: done,
	}
}

// WritePackets implements stack.LinkEndpoint. A packet for which there is no room is lost and counted; gVisor keeps that to itself.
func (l *link) WritePackets(pkts stack.PacketBufferList) (int, tcpip.Error) {
	for _, pkt := range pkts.AsSlice() { // one, as a rule
		if pkt.TransportProtocolNumber == tcp.ProtocolNumber && pkt.Data().Size() > 0 && l.queued.Load() >= l.limit {
			l.await()
			break
		}
	}
	if l.stalled.Load() && l.queued.Load() >= l.length { // the channel would take more: it counts what gVisor hands over
		for _, pkt := range pkts.AsSlice() {
			l.dropped.Add(uint64(segments(pkt)))
		}
		return 0, nil
	}
	for _, pkt := range pkts.AsSlice() {
		l.queued.Add(int64(segments(pkt)))
	}
	n, err := l.Endpoint.WritePackets(pkts)
	for _, pkt := range pkts.AsSlice()[n:] {
		l.queued.Add(-int64(segments(pkt)))
		l.dropped.Add(uint64(segments(pkt)))
	}
	return n, err
}

// await returns when there may be room.
func (l *link) await() {
	if l.stalled.Load() {
		return
	}
	timer := time.NewTimer(stallLimit)
	defer timer.Stop()
	for l.queued.Load() >= l.limit {
		select {
		case <-l.room:
		case <-timer.C:
			l.stalled.Store(true)
			return
		case <-l.done:
			return
		}
	}
	l.signal() // for the next one that waits
}

// take is called by the pump for a packet that it has taken from the queue.
func (l *link) take(pkt *stack.PacketBuffer) {
	l.queued.Add(-int64(segments(pkt)))
	l.stalled.Store(false)
	l.signal()
}

func (l *link) signal() {
	select {
	case l.room <- struct{}{}:
	default:
	}
}
