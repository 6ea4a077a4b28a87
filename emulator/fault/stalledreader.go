package fault

// StalledReader is a modem that hangs.
var StalledReader = Fault{
	Name:   "stalled-reader",
	Doc:    "The modem stops reading its port: nothing is answered, and once the 20 KiB of the pseudo-terminal are full the user's writes block. Cleared, by switching the modem off and on too, it reads what has piled up.",
	Hang:   true,
	Params: []Param{port()},
	Inject: func(t Target, p Params) (func(), error) {
		return t.Wires.tap(p["port"], func(w *Wire) *tap { return &tap{start: w.stall, stop: w.resume} }), nil
	},
}
