package fault

import "minato/emulator/dce"

// SIMBusy is the race at the start of a modem: it takes commands before it has read its card.
var SIMBusy = Fault{
	Name: "sim-busy",
	Doc:  "The modem has yet to read its SIM, as after power-on: +CPIN: NOT READY, all sessions end, SIM commands give +CME ERROR: 14, and it does not register. Clearing lets it read the SIM.",
	Params: []Param{
		number("count", "how many SIM commands, without those for messages, are refused, then the SIM is read; 0: all until the fault is cleared", 0, 0, 1_000_000),
		number("absent", "the first so many are told +CME ERROR: 10, as if there were no SIM", 0, 0, 1_000_000),
	},
	Inject: func(t Target, p Params) (func(), error) {
		return t.BusySIM(dce.SIMBusy{Asks: p.num("count"), Absent: p.num("absent")}), nil
	},
}
