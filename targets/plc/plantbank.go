package plc

import "fmt"

// plantBank is the plant as a unit of the Modbus server shows it, through a register map.
type plantBank struct {
	plant *Plant
	fifo  bool                              // the map has the trend
	index [HoldingRegisters + 1][]*Register // by address; nil where there is a gap
}

var _ Bank = (*plantBank)(nil)

func newPlantBank(p *Plant, registers []Register) *plantBank {
	b := &plantBank{plant: p}
	for i := range registers {
		r := &registers[i]
		if r.fifo {
			b.fifo = true
			continue
		}
		for a := int(r.Address); a < int(r.Address)+max(1, int(r.Count)); a++ {
			for len(b.index[r.Table]) <= a {
				b.index[r.Table] = append(b.index[r.Table], nil)
			}
			b.index[r.Table][a] = r
		}
	}
	return b
}

// run finds a block, all of which must exist.
func (b *plantBank) run(t Table, address uint16, n int) ([]*Register, error) {
	table := b.index[t]
	if int(address)+n > len(table) {
		return nil, ErrAddress
	}
	run := table[address:][:n]
	for _, r := range run {
		if r == nil {
			return nil, ErrAddress
		}
	}
	return run, nil
}

func (b *plantBank) ReadBits(t Table, address uint16, dst []bool) error {
	run, err := b.run(t, address, len(dst))
	if err != nil {
		return err
	}
	v := b.plant.Values()
	for i, r := range run {
		dst[i] = r.bit(&v)
	}
	return nil
}

// ReadRegisters reads one snapshot, so that the halves of a long value belong together.
func (b *plantBank) ReadRegisters(t Table, address uint16, dst []uint16) error {
	run, err := b.run(t, address, len(dst))
	if err != nil {
		return err
	}
	v := b.plant.Values()
	for i, r := range run {
		if r.scratch() {
			dst[i] = b.plant.scratchRegister(int(address) + i - scratchAddress)
		} else {
			dst[i] = r.word(&v)
		}
	}
	return nil
}

func (b *plantBank) WriteBits(address uint16, src []bool) error {
	run, err := b.run(Coils, address, len(src))
	if err != nil {
		return err
	}
	for i, r := range run {
		x := uint16(0)
		if src[i] {
			x = 1
		}
		if err := r.set(b.plant, x); err != nil {
			return err
		}
	}
	return nil
}

// WriteRegisters judges every value before it writes the first. A value out of range is a failure of the device (exception 4):
// section 7 says that exception 3 never means a value that the application does not like.
func (b *plantBank) WriteRegisters(address uint16, src []uint16) error {
	run, err := b.run(HoldingRegisters, address, len(src))
	if err != nil {
		return err
	}
	for i, r := range run {
		if src[i] > r.Max {
			return fmt.Errorf("writing %d to %s: %w (0 to %d)", src[i], r.Name, ErrOutOfRange, r.Max)
		}
	}
	for i, r := range run {
		if r.scratch() {
			b.plant.setScratchRegister(int(address)+i-scratchAddress, src[i])
		} else if err := r.set(b.plant, src[i]); err != nil {
			return err
		}
	}
	return nil
}

func (b *plantBank) ReadFIFO(address uint16) ([]uint16, error) {
	if !b.fifo || address != FIFOAddress {
		return nil, ErrAddress
	}
	levels, _ := b.plant.History()
	return levels[max(0, len(levels)-TrendLength):], nil
}
