package plc

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"
)

const (
	// TrendLength of the queue that ReadFIFOQueue gives: as much as one response may carry.
	TrendLength = maxFIFO

	// FIFOAddress is the pointer address of the trend for ReadFIFOQueue.
	FIFOAddress = 300

	scratchAddress = 100
	scratchCount   = 64
)

// Register is one address, or a run of equal ones, of one table.
type Register struct {
	Table   Table
	Address uint16
	Count   uint16 // addresses in the run; 0: 1
	Name    string
	Unit    string // of one count of the value
	Max     uint16 // greatest value that may be written; bits: unused
	Doc     string

	// At most one of these reads; nil: the run is scratch. set is nil where nothing may be written.
	bit  func(*Values) bool
	word func(*Values) uint16
	set  func(*Plant, uint16) error

	fifo bool // no register, but the pointer address of a queue
}

// Registers is the plant's register map.
var Registers = []Register{
	{Table: Coils, Address: 0, Name: "pump", Doc: "pump on; writing takes it from the controller; on is refused (exception 4) at the high-level mark",
		bit: func(v *Values) bool { return v.Pump }, set: func(p *Plant, x uint16) error { return p.SetPump(x != 0) }},
	{Table: Coils, Address: 1, Name: "automatic", Doc: "the controller holds the level",
		bit: func(v *Values) bool { return v.Automatic }, set: func(p *Plant, x uint16) error { p.SetAutomatic(x != 0); return nil }},

	{Table: DiscreteInputs, Address: 0, Name: "pump running", Doc: "the pump delivers water", bit: func(v *Values) bool { return v.Inflow > 0 }},
	{Table: DiscreteInputs, Address: 1, Name: "valve open", Doc: "the valve is not shut", bit: func(v *Values) bool { return v.Valve > 0 }},
	{Table: DiscreteInputs, Address: 2, Name: "high level", Doc: "at or above 95 %", bit: func(v *Values) bool { return v.HighLevel }},
	{Table: DiscreteInputs, Address: 3, Name: "low level", Doc: "at or below 10 %", bit: func(v *Values) bool { return v.LowLevel }},

	{Table: InputRegisters, Address: 0, Name: "level", Unit: "0.1 %", word: func(v *Values) uint16 { return tenths(v.Level) }},
	{Table: InputRegisters, Address: 1, Name: "temperature", Unit: "0.1 °C", Doc: "signed", word: func(v *Values) uint16 { return tenths(v.Temperature) }},
	{Table: InputRegisters, Address: 2, Name: "inflow", Unit: "0.01 l/s", word: func(v *Values) uint16 { return hundredths(v.Inflow) }},
	{Table: InputRegisters, Address: 3, Name: "outflow", Unit: "0.01 l/s", word: func(v *Values) uint16 { return hundredths(v.Outflow) }},
	{Table: InputRegisters, Address: 4, Name: "uptime, high word", Unit: "65536 s", word: func(v *Values) uint16 { return high(v.uptimeSeconds()) }},
	{Table: InputRegisters, Address: 5, Name: "uptime, low word", Unit: "1 s", word: func(v *Values) uint16 { return uint16(v.uptimeSeconds()) }},
	{Table: InputRegisters, Address: 6, Name: "volume, high word", Unit: "65536 l", Doc: "pumped since the start", word: func(v *Values) uint16 { return high(uint32(v.Volume)) }},
	{Table: InputRegisters, Address: 7, Name: "volume, low word", Unit: "1 l", word: func(v *Values) uint16 { return uint16(uint32(v.Volume)) }},
	{Table: InputRegisters, Address: 8, Name: "pump starts", Doc: "since the start; wraps", word: func(v *Values) uint16 { return v.PumpStarts }},

	{Table: HoldingRegisters, Address: 0, Name: "setpoint", Unit: "0.1 %", Max: 1000, Doc: "level that the controller holds",
		word: func(v *Values) uint16 { return tenths(v.Setpoint) }, set: func(p *Plant, x uint16) error { return p.SetSetpoint(float64(x) / 10) }},
	{Table: HoldingRegisters, Address: 1, Name: "valve", Unit: "0.1 %", Max: 1000, Doc: "opening of the valve",
		word: func(v *Values) uint16 { return tenths(v.Valve) }, set: func(p *Plant, x uint16) error { return p.SetValve(float64(x) / 10) }},
	{Table: HoldingRegisters, Address: scratchAddress, Count: scratchCount, Max: 0xffff, Name: "scratch", Doc: "keep what is written; without effect"},

	{Table: HoldingRegisters, Address: FIFOAddress, fifo: true, Name: "trend", Unit: "0.1 %", Doc: "FIFO queue: level of the last 31 seconds, oldest first"},
}

func (v *Values) uptimeSeconds() uint32 { return uint32(v.Uptime / time.Second) }

func high(x uint32) uint16 { return uint16(x >> 16) }

// WriteRegisterMap prints the register maps of Units for people.
func WriteRegisterMap(w io.Writer) error {
	for i, unit := range []struct {
		title     string
		registers []Register
	}{
		{fmt.Sprintf("Unit %d, and 0 and 255: the plant", PlantUnit), Registers},
		{fmt.Sprintf("Unit %d: the power meter of its pump", MeterUnit), MeterRegisters},
	} {
		if i > 0 {
			fmt.Fprintln(w)
		}
		fmt.Fprintln(w, unit.title)
		if err := writeRegisters(w, unit.registers); err != nil {
			return err
		}
	}
	return nil
}

func writeRegisters(w io.Writer, registers []Register) error {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, "TABLE\tADDRESS\tACCESS\tNAME\tUNIT\tNOTE")
	for i := range registers {
		r := &registers[i]
		address, access, doc := fmt.Sprint(r.Address), "read", r.Doc
		if r.Count > 1 {
			address = fmt.Sprintf("%d-%d", r.Address, r.Address+r.Count-1)
		}
		if r.writable() {
			access = "read, write"
		}
		if r.set != nil && r.Max != 0 {
			doc = strings.TrimSuffix(fmt.Sprintf("%s; 0 to %d", doc, r.Max), "; ")
		}
		fmt.Fprintf(tw, "%v\t%s\t%s\t%s\t%s\t%s\n", r.Table, address, access, r.Name, r.Unit, doc)
	}
	return tw.Flush()
}

func (r *Register) scratch() bool  { return r.bit == nil && r.word == nil && !r.fifo }
func (r *Register) writable() bool { return r.set != nil || r.scratch() }
