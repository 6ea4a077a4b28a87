package plc

import "encoding/binary"

// readBits is functions 1 and 2 (sections 6.1, 6.2).
func readBits(t Table) handler {
	return func(e *Engine, dst, data []byte) ([]byte, error) {
		if err := exactly(data, 4); err != nil {
			return dst, err
		}
		address, quantity, err := addressQuantity(data, maxReadBits)
		if err != nil {
			return dst, err
		}
		bits := e.bits[:quantity]
		if err := e.Bank.ReadBits(t, address, bits); err != nil {
			return dst, err
		}
		dst = append(dst, byte(bitBytes(quantity)))
		return appendBits(dst, bits), nil
	}
}

// writeSingleCoil is function 5 (section 6.5); the answer is an echo.
func writeSingleCoil(e *Engine, dst, data []byte) ([]byte, error) {
	if err := exactly(data, 4); err != nil {
		return dst, err
	}
	value := binary.BigEndian.Uint16(data[2:])
	if value != coilOn && value != coilOff {
		return dst, IllegalDataValue
	}
	e.bits[0] = value == coilOn
	if err := e.Bank.WriteBits(binary.BigEndian.Uint16(data), e.bits[:1]); err != nil {
		return dst, err
	}
	return append(dst, data...), nil
}

// writeMultipleCoils is function 15 (section 6.11).
func writeMultipleCoils(e *Engine, dst, data []byte) ([]byte, error) {
	if len(data) < 5 {
		return dst, IllegalDataValue
	}
	quantity := binary.BigEndian.Uint16(data[2:])
	if int(data[4]) != bitBytes(quantity) || len(data) != 5+int(data[4]) {
		return dst, IllegalDataValue
	}
	address, quantity, err := addressQuantity(data, maxWriteBits)
	if err != nil {
		return dst, err
	}
	bits := e.bits[:quantity]
	for i := range bits {
		bits[i] = data[5+i/8]>>(i%8)&1 == 1
	}
	if err := e.Bank.WriteBits(address, bits); err != nil {
		return dst, err
	}
	return append(dst, data[:4]...), nil
}

func bitBytes(quantity uint16) int { return (int(quantity) + 7) / 8 }

// appendBits packs the first bit into the lowest bit of the first byte.
func appendBits(dst []byte, bits []bool) []byte {
	for i, on := range bits {
		if i%8 == 0 {
			dst = append(dst, 0)
		}
		if on {
			dst[len(dst)-1] |= 1 << (i % 8)
		}
	}
	return dst
}
