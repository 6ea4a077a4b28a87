package plc

import (
	"context"
	"net"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// serve runs a server on loopback until the test ends, and gives its address.
func serve(t testing.TB, s *Server) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx, l) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Serve = %v, want nil on cancel", err)
		}
	})
	return l.Addr().String()
}

func dial(t testing.TB, address string) net.Conn {
	t.Helper()
	c, err := net.DialTimeout("tcp", address, 30*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(60 * time.Second))
	return c
}

// memory is a Bank of plain memory.
type memory struct {
	bits [2]map[uint16]bool
	regs map[Table]map[uint16]uint16
	fifo map[uint16][]uint16
	fail error
}

func newMemory() *memory {
	return &memory{
		bits: [2]map[uint16]bool{{}, {}},
		regs: map[Table]map[uint16]uint16{InputRegisters: {}, HoldingRegisters: {}},
		fifo: map[uint16][]uint16{},
	}
}

func (m *memory) ReadBits(t Table, address uint16, dst []bool) error {
	for i := range dst {
		v, ok := m.bits[t][address+uint16(i)]
		if !ok {
			return ErrAddress
		}
		dst[i] = v
	}
	return m.fail
}

func (m *memory) WriteBits(address uint16, src []bool) error {
	for i, v := range src {
		m.bits[Coils][address+uint16(i)] = v
	}
	return m.fail
}

func (m *memory) ReadRegisters(t Table, address uint16, dst []uint16) error {
	for i := range dst {
		v, ok := m.regs[t][address+uint16(i)]
		if !ok {
			return ErrAddress
		}
		dst[i] = v
	}
	return m.fail
}

func (m *memory) WriteRegisters(address uint16, src []uint16) error {
	for i, v := range src {
		m.regs[HoldingRegisters][address+uint16(i)] = v
	}
	return m.fail
}

func (m *memory) ReadFIFO(address uint16) ([]uint16, error) {
	q, ok := m.fifo[address]
	if !ok {
		return nil, ErrAddress
	}
	return q, m.fail
}

func (m *memory) setBits(t Table, address uint16, packed ...byte) {
	for i := range 8 * len(packed) {
		m.bits[t][address+uint16(i)] = packed[i/8]>>(i%8)&1 == 1
	}
}

func (m *memory) setRegs(t Table, address uint16, words ...uint16) {
	for i, w := range words {
		m.regs[t][address+uint16(i)] = w
	}
}
