package fault

// Detach is the network's detach.
var Detach = Fault{
	Name: "detach",
	Doc:  "The network detaches the modem: +CGEV: NW DETACH, all sessions end, +CEREG: 0.",
	Params: []Param{
		boolean("reattach", "the modem attaches again by itself; if not, once the fault is cleared", true),
	},
	Inject: func(t Target, p Params) (func(), error) {
		t.NetworkDetach(p.is("reattach"))
		return t.Reattach, nil
	},
}
