package plc

import "fmt"

// FunctionCode of a PDU (Modbus Application Protocol 1.1b3, section 5).
type FunctionCode byte

const (
	ReadCoils                  FunctionCode = 1
	ReadDiscreteInputs         FunctionCode = 2
	ReadHoldingRegisters       FunctionCode = 3
	ReadInputRegisters         FunctionCode = 4
	WriteSingleCoil            FunctionCode = 5
	WriteSingleRegister        FunctionCode = 6
	WriteMultipleCoils         FunctionCode = 15
	WriteMultipleRegisters     FunctionCode = 16
	MaskWriteRegister          FunctionCode = 22
	ReadWriteMultipleRegisters FunctionCode = 23
	ReadFIFOQueue              FunctionCode = 24
	EncapsulatedInterface      FunctionCode = 43

	exceptionBit = 0x80 // set in the function code of an exception response
	meiDeviceID  = 14   // MEI type of Read Device Identification
)

// ExceptionCode says why a request was refused (section 7).
type ExceptionCode byte

const (
	IllegalFunction     ExceptionCode = 1
	IllegalDataAddress  ExceptionCode = 2
	IllegalDataValue    ExceptionCode = 3
	ServerDeviceFailure ExceptionCode = 4

	GatewayTargetFailedToRespond ExceptionCode = 11
)

func (e ExceptionCode) String() string {
	switch e {
	case IllegalFunction:
		return "illegal function"
	case IllegalDataAddress:
		return "illegal data address"
	case IllegalDataValue:
		return "illegal data value"
	case ServerDeviceFailure:
		return "server device failure"
	case GatewayTargetFailedToRespond:
		return "gateway target device failed to respond"
	}
	return fmt.Sprintf("exception %d", byte(e))
}

// Error makes a code usable as the reason that a Bank gives.
func (e ExceptionCode) Error() string { return e.String() }

// Table is one of the four primary tables of section 4.3.
type Table byte

const (
	Coils Table = iota
	DiscreteInputs
	InputRegisters
	HoldingRegisters
)

func (t Table) String() string {
	switch t {
	case Coils:
		return "coil"
	case DiscreteInputs:
		return "discrete input"
	case InputRegisters:
		return "input register"
	case HoldingRegisters:
		return "holding register"
	}
	return fmt.Sprintf("table %d", byte(t))
}

// Most that one request may carry: sections 6.1 to 6.18.
const (
	maxReadBits       = 2000
	maxReadRegisters  = 125
	maxWriteBits      = 1968
	maxWriteRegisters = 123
	maxExchangeWrite  = 121 // of ReadWriteMultipleRegisters
	maxFIFO           = 31

	coilOn  = 0xff00
	coilOff = 0x0000
)
