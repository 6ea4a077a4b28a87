package fault

// Loopback is a line that is looped somewhere between user and modem.
var Loopback = Fault{
	Name:   "loopback",
	Doc:    "In data calls our own frames come back, and the modem's do not come: LCP sees its own magic number.",
	Params: []Param{port()},
	Inject: func(t Target, p Params) (func(), error) {
		return t.Wires.tap(p["port"], func(w *Wire) *tap {
			return &tap{
				in: func(b []byte) []byte {
					if !w.online.Load() {
						return b
					}
					w.sendBack(b) // what a user who does not read has no room for is lost
					return nil
				},
				out: func(b []byte) []piece {
					if !w.online.Load() {
						return whole(b)
					}
					return nil
				},
			}
		}), nil
	},
}
