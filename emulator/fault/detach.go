package fault

import "minato/emulator/dce"

// Detach is the network's detach.
var Detach = Fault{
	Name: "detach",
	Doc:  "The network detaches the modem: +CGEV: NW DETACH, all sessions end, +CEREG: 0.",
	Params: []Param{
		boolean("reattach", "the modem attaches again by itself; if not, once the fault is cleared", true),
	},
	Inject: func(m *dce.Modem, p Params) (func(), error) {
		m.NetworkDetach(p.is("reattach"))
		return m.Reattach, nil
	},
}
