package plc

import "math"

// The pump's motor. At speed it takes 410 W, all of which moves water, so that power follows the flow and energy the volume.
const (
	mainsVoltage   = 230.0 // V, without load
	voltageDrop    = 1.5   // V, at full load
	motorPower     = 410.0 // W, at pumpFlow
	powerFactor    = 0.85
	secondsPerHour = 3600
)

func (v *Values) pumpVoltage() float64 { return mainsVoltage - voltageDrop*v.Inflow/pumpFlow }
func (v *Values) pumpPower() float64   { return motorPower * v.Inflow / pumpFlow }
func (v *Values) pumpCurrent() float64 { return v.pumpPower() / v.pumpVoltage() / powerFactor }
func (v *Values) pumpEnergy() uint32 {
	return uint32(v.Volume * motorPower / pumpFlow / secondsPerHour)
}

// MeterRegisters is the register map of the power meter.
var MeterRegisters = []Register{
	{Table: DiscreteInputs, Address: 0, Name: "load", Doc: "a current flows", bit: func(v *Values) bool { return v.Inflow > 0 }},

	{Table: InputRegisters, Address: 0, Name: "voltage", Unit: "0.1 V", word: func(v *Values) uint16 { return tenths(v.pumpVoltage()) }},
	{Table: InputRegisters, Address: 1, Name: "current", Unit: "0.01 A", word: func(v *Values) uint16 { return hundredths(v.pumpCurrent()) }},
	{Table: InputRegisters, Address: 2, Name: "power", Unit: "1 W", word: func(v *Values) uint16 { return uint16(math.Round(v.pumpPower())) }},
	{Table: InputRegisters, Address: 3, Name: "energy, high word", Unit: "65536 Wh", Doc: "since the start", word: func(v *Values) uint16 { return high(v.pumpEnergy()) }},
	{Table: InputRegisters, Address: 4, Name: "energy, low word", Unit: "1 Wh", word: func(v *Values) uint16 { return uint16(v.pumpEnergy()) }},
	{Table: InputRegisters, Address: 10, Name: "power as float, high word", Unit: "W", Doc: "IEEE 754 single precision", word: func(v *Values) uint16 { return high(math.Float32bits(float32(v.pumpPower()))) }},
	{Table: InputRegisters, Address: 11, Name: "power as float, low word", Unit: "W", word: func(v *Values) uint16 { return uint16(math.Float32bits(float32(v.pumpPower()))) }},
}
