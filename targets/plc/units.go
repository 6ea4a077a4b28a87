package plc

// Unit is one device behind the server, as behind a gateway to a serial line.
type Unit struct {
	Bank     Bank
	Identity Identity
}

// Unit identifiers. A client that speaks to the server itself uses 255, or 0 (Modbus Messaging on TCP/IP 1.0b, section 4.4.2.2), and
// gets the plant.
const (
	PlantUnit = 1
	MeterUnit = 2
)

// Units are the simulated devices: the plant, and the meter in its pump's supply.
func Units(p *Plant) map[byte]Unit {
	plant := Unit{newPlantBank(p, Registers), Identity{
		VendorName: "Minato", ProductCode: "MINATO-PLANT", MajorMinorRevision: "1.0",
		ProductName: "Simulated plant", ModelName: "Tank, pump and valve", UserApplicationName: "minato-targets",
	}}
	meter := Unit{newPlantBank(p, MeterRegisters), Identity{
		VendorName: "Minato", ProductCode: "MINATO-METER", MajorMinorRevision: "1.0",
		ProductName: "Simulated power meter", ModelName: "In the supply of the pump", UserApplicationName: "minato-targets",
	}}
	return map[byte]Unit{0: plant, PlantUnit: plant, 255: plant, MeterUnit: meter}
}
