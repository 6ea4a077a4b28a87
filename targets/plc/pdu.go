package plc

import (
	"encoding/binary"
	"errors"
)

// Bank is the memory that requests read and write. A method fails with ErrAddress when one of the addresses does not exist, with
// an ExceptionCode to name the answer, and with anything else for ServerDeviceFailure.
type Bank interface {
	ReadBits(t Table, address uint16, dst []bool) error
	WriteBits(address uint16, src []bool) error
	ReadRegisters(t Table, address uint16, dst []uint16) error
	WriteRegisters(address uint16, src []uint16) error
	// ReadFIFO gives the queue behind a pointer address; more than 31 values are refused as the specification says.
	ReadFIFO(address uint16) ([]uint16, error)
}

// ErrAddress says that a Bank has no such address.
var ErrAddress = errors.New("no such address")

// handler answers one function: it appends the response after the function code, or fails with the reason for an exception.
type handler func(e *Engine, dst, data []byte) ([]byte, error)

// handlers is every function that this server has; the rest is IllegalFunction.
var handlers = map[FunctionCode]handler{
	ReadCoils:                  readBits(Coils),
	ReadDiscreteInputs:         readBits(DiscreteInputs),
	ReadHoldingRegisters:       readRegisters(HoldingRegisters),
	ReadInputRegisters:         readRegisters(InputRegisters),
	WriteSingleCoil:            writeSingleCoil,
	WriteSingleRegister:        writeSingleRegister,
	WriteMultipleCoils:         writeMultipleCoils,
	WriteMultipleRegisters:     writeMultipleRegisters,
	MaskWriteRegister:          maskWriteRegister,
	ReadWriteMultipleRegisters: readWriteMultipleRegisters,
	ReadFIFOQueue:              readFIFOQueue,
	EncapsulatedInterface:      readDeviceIdentification,
}

// Engine answers PDUs for its Unit. It holds the scratch space of one connection, so it is for one goroutine.
type Engine struct {
	Unit

	bits [maxReadBits]bool
	regs [maxReadRegisters]uint16
}

// Respond appends the response PDU, normal or exception, to a request of at least one byte.
func (e *Engine) Respond(dst, request []byte) []byte {
	code := FunctionCode(request[0])
	start := len(dst)
	h := handlers[code]
	if h == nil {
		return append(dst, request[0]|exceptionBit, byte(IllegalFunction))
	}
	out, err := h(e, append(dst, request[0]), request[1:])
	if err != nil {
		return append(out[:start], request[0]|exceptionBit, byte(exceptionOf(err)))
	}
	return out
}

func exceptionOf(err error) ExceptionCode {
	var code ExceptionCode
	switch {
	case errors.As(err, &code):
		return code
	case errors.Is(err, ErrAddress):
		return IllegalDataAddress
	}
	return ServerDeviceFailure
}

// addressQuantity reads the two words that most requests begin with. In the state diagrams of section 6 the quantity is judged
// first (exception 3), then the addresses (exception 2).
func addressQuantity(data []byte, most uint16) (address, quantity uint16, err error) {
	address, quantity = binary.BigEndian.Uint16(data), binary.BigEndian.Uint16(data[2:])
	if quantity == 0 || quantity > most {
		return 0, 0, IllegalDataValue
	}
	return address, quantity, checkEnd(address, quantity)
}

func checkEnd(address, quantity uint16) error {
	if int(address)+int(quantity) > 0x10000 {
		return ErrAddress
	}
	return nil
}

// exactly refuses a request whose length is not what its function says: exception 3 covers "implied length is incorrect".
func exactly(data []byte, n int) error {
	if len(data) != n {
		return IllegalDataValue
	}
	return nil
}
