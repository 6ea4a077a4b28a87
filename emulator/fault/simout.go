package fault

import "minato/emulator/dce"

// SIMOut takes the card out.
var SIMOut = Fault{
	Name: "sim-out",
	Doc:  "The SIM is taken out: +CPIN: NOT READY, all sessions end, SIM commands give +CME ERROR: 10. Clearing puts it back.",
	Inject: func(m *dce.Modem, _ Params) (func(), error) {
		m.SetSIMInserted(false)
		return func() { m.SetSIMInserted(true) }, nil
	},
}
