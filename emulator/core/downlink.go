package core

import (
	"sync"
	"time"
)

const (
	mtu        = 1500 // the most of any session; LTE bearers carry that much
	minMTU     = 576  // RFC 1122 section 3.3.3: what every host takes
	carryBatch = 64   // packets given to the carrier at a time
)

// packetBuffer holds a packet between the gateway and a device.
type packetBuffer struct {
	due  time.Time // when it arrives; zero: at once
	n    int
	data [mtu]byte
}

func (b *packetBuffer) bytes() []byte { return b.data[:b.n] }

var packetBuffers = sync.Pool{New: func() any { return new(packetBuffer) }}

// downlink is the way to the device. Its goroutine is the only one that waits for the modem.
type downlink struct {
	pipe *pipe

	mu      sync.Mutex
	carrier func(packets [][]byte) error // nil: nobody carries
}

// Attach sets who carries packets to the device. It is called from one goroutine at a time, with at most 64 packets, which
// are valid during the call only. Packets that came before are lost. While it does not return the queue fills, and what sends to the device
// waits, or loses its packets where it cannot.
func (s *Session) Attach(carrier func(packets [][]byte) error) {
	s.down.mu.Lock()
	defer s.down.mu.Unlock()
	s.down.carrier = carrier
}

func (d *downlink) to() func([][]byte) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.carrier
}

// enqueue copies packets for the device. With wait it waits for room, and is to be called from what belongs to this session only.
func (s *Session) enqueue(packets [][]byte, wait bool) {
	if s.down.to() == nil {
		s.dropped.Add(uint64(len(packets)))
		return
	}
	var until <-chan struct{}
	if wait {
		until = s.ctx.Done()
	}
	for _, p := range packets {
		if s.down.pipe.put(p, until) {
			s.bytesDown.Add(uint64(len(p)))
		}
	}
}

// carry hands queued packets to the carrier. It ends with the session; the Core waits for it.
func (s *Session) carry() {
	var packets [carryBatch][]byte
	s.down.pipe.run(s.ctx, func(batch []*packetBuffer) {
		carrier := s.down.to()
		if carrier == nil {
			s.dropped.Add(uint64(len(batch)))
			return
		}
		for i, b := range batch {
			packets[i] = b.bytes()
		}
		if err := carrier(packets[:len(batch)]); err != nil {
			s.dropped.Add(uint64(len(batch)))
			s.core.log.Debug("the downlink refused packets", "session", s.id, "packets", len(batch), "error", err)
		}
	})
}
