package core

import "sync"

const (
	mtu           = 1500 // of the gateway and of every session; LTE bearers carry that much
	downlinkQueue = 512  // packets that wait for one device: its bufferbloat
	carryBatch    = 64   // packets given to the carrier at a time
)

// packetBuffer holds a packet between the gateway and a device.
type packetBuffer struct {
	n    int
	data [mtu]byte
}

var packetBuffers = sync.Pool{New: func() any { return new(packetBuffer) }}

// downlink is the queue of a session. The gateway serves all devices from one goroutine, so it never waits for one of them: a
// device that takes no packets loses its own only.
type downlink struct {
	wake chan struct{} // something is queued

	mu      sync.Mutex
	queue   []*packetBuffer
	carrier func(packets [][]byte) error // nil: nobody carries
}

// Attach sets who carries packets to the device. It is called from one goroutine at a time, with at most 64 packets, which
// are valid during the call only. Packets that came before are lost.
func (s *Session) Attach(carrier func(packets [][]byte) error) {
	s.down.mu.Lock()
	defer s.down.mu.Unlock()
	s.down.carrier = carrier
}

// enqueue copies packets for the device, and drops what finds no room.
func (s *Session) enqueue(packets [][]byte) {
	d := &s.down
	var dropped, bytes uint64
	d.mu.Lock()
	for _, p := range packets {
		if d.carrier == nil || len(d.queue) >= downlinkQueue || len(p) > mtu {
			dropped++
			continue
		}
		b := packetBuffers.Get().(*packetBuffer)
		b.n = copy(b.data[:], p)
		d.queue = append(d.queue, b)
		bytes += uint64(b.n)
	}
	d.mu.Unlock()
	s.dropped.Add(dropped)
	s.bytesDown.Add(bytes)
	select {
	case d.wake <- struct{}{}:
	default:
	}
}

// carry hands queued packets to the carrier. It ends with the session; the Core waits for it.
func (s *Session) carry() {
	var (
		batch   [carryBatch]*packetBuffer
		packets [carryBatch][]byte
	)
	for {
		select {
		case <-s.ctx.Done():
			return
		case <-s.down.wake:
		}
		for s.ctx.Err() == nil {
			n, carrier := s.down.take(batch[:])
			if n == 0 {
				break
			}
			for i, b := range batch[:n] {
				packets[i] = b.data[:b.n]
			}
			if err := carrier(packets[:n]); err != nil {
				s.dropped.Add(uint64(n))
				s.core.log.Debug("the downlink refused packets", "session", s.id, "packets", n, "error", err)
			}
			for i, b := range batch[:n] {
				packetBuffers.Put(b)
				batch[i] = nil
			}
		}
	}
}

// take removes the first packets of the queue.
func (d *downlink) take(batch []*packetBuffer) (int, func([][]byte) error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	n := copy(batch, d.queue)
	rest := copy(d.queue, d.queue[n:])
	clear(d.queue[rest:])
	d.queue = d.queue[:rest]
	return n, d.carrier
}
