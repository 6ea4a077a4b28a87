package plc

import "encoding/binary"

// readRegisters is functions 3 and 4 (sections 6.3, 6.4).
func readRegisters(t Table) handler {
	return func(e *Engine, dst, data []byte) ([]byte, error) {
		if err := exactly(data, 4); err != nil {
			return dst, err
		}
		address, quantity, err := addressQuantity(data, maxReadRegisters)
		if err != nil {
			return dst, err
		}
		return e.appendRegisters(dst, t, address, quantity)
	}
}

func (e *Engine) appendRegisters(dst []byte, t Table, address, quantity uint16) ([]byte, error) {
	regs := e.regs[:quantity]
	if err := e.Bank.ReadRegisters(t, address, regs); err != nil {
		return dst, err
	}
	dst = append(dst, byte(2*quantity))
	return appendWords(dst, regs), nil
}

// writeSingleRegister is function 6 (section 6.6); the answer is an echo.
func writeSingleRegister(e *Engine, dst, data []byte) ([]byte, error) {
	if err := exactly(data, 4); err != nil {
		return dst, err
	}
	e.regs[0] = binary.BigEndian.Uint16(data[2:])
	if err := e.Bank.WriteRegisters(binary.BigEndian.Uint16(data), e.regs[:1]); err != nil {
		return dst, err
	}
	return append(dst, data...), nil
}

// writeMultipleRegisters is function 16 (section 6.12).
func writeMultipleRegisters(e *Engine, dst, data []byte) ([]byte, error) {
	if len(data) < 5 {
		return dst, IllegalDataValue
	}
	if err := e.writeBlock(data, maxWriteRegisters); err != nil {
		return dst, err
	}
	return append(dst, data[:4]...), nil
}

// writeBlock is address, quantity, byte count and values, to the end of data.
func (e *Engine) writeBlock(data []byte, most uint16) error {
	quantity := binary.BigEndian.Uint16(data[2:])
	if int(data[4]) != 2*int(quantity) || len(data) != 5+int(data[4]) {
		return IllegalDataValue
	}
	address, quantity, err := addressQuantity(data, most)
	if err != nil {
		return err
	}
	regs := e.regs[:quantity]
	for i := range regs {
		regs[i] = binary.BigEndian.Uint16(data[5+2*i:])
	}
	return e.Bank.WriteRegisters(address, regs)
}

// maskWriteRegister is function 22 (section 6.16): (current AND and) OR (or AND NOT and).
func maskWriteRegister(e *Engine, dst, data []byte) ([]byte, error) {
	if err := exactly(data, 6); err != nil {
		return dst, err
	}
	address, and, or := binary.BigEndian.Uint16(data), binary.BigEndian.Uint16(data[2:]), binary.BigEndian.Uint16(data[4:])
	if err := e.Bank.ReadRegisters(HoldingRegisters, address, e.regs[:1]); err != nil {
		return dst, err
	}
	e.regs[0] = e.regs[0]&and | or&^and
	if err := e.Bank.WriteRegisters(address, e.regs[:1]); err != nil {
		return dst, err
	}
	return append(dst, data...), nil
}

// readWriteMultipleRegisters is function 23 (section 6.17): the write comes before the read, and both address ranges are judged
// before the write.
func readWriteMultipleRegisters(e *Engine, dst, data []byte) ([]byte, error) {
	if len(data) < 9 {
		return dst, IllegalDataValue
	}
	writeQuantity := binary.BigEndian.Uint16(data[6:])
	if writeQuantity == 0 || writeQuantity > maxExchangeWrite || int(data[8]) != 2*int(writeQuantity) || len(data) != 9+int(data[8]) {
		return dst, IllegalDataValue
	}
	address, quantity, err := addressQuantity(data, maxReadRegisters)
	if err != nil {
		return dst, err
	}
	if err := e.Bank.ReadRegisters(HoldingRegisters, address, e.regs[:quantity]); err != nil {
		return dst, err
	}
	if err := e.writeBlock(data[4:], maxExchangeWrite); err != nil {
		return dst, err
	}
	return e.appendRegisters(dst, HoldingRegisters, address, quantity)
}

// readFIFOQueue is function 24 (section 6.18). The queue is read, not emptied.
func readFIFOQueue(e *Engine, dst, data []byte) ([]byte, error) {
	if err := exactly(data, 2); err != nil {
		return dst, err
	}
	queue, err := e.Bank.ReadFIFO(binary.BigEndian.Uint16(data))
	if err != nil {
		return dst, err
	}
	if len(queue) > maxFIFO {
		return dst, IllegalDataValue
	}
	dst = binary.BigEndian.AppendUint16(dst, uint16(2+2*len(queue)))
	dst = binary.BigEndian.AppendUint16(dst, uint16(len(queue)))
	return appendWords(dst, queue), nil
}

func appendWords(dst []byte, words []uint16) []byte {
	for _, w := range words {
		dst = binary.BigEndian.AppendUint16(dst, w)
	}
	return dst
}
