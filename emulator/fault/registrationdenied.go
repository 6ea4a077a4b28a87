package fault

import "minato/emulator/dce"

// RegistrationDenied is a network that does not want the modem.
var RegistrationDenied = Fault{
	Name: "registration-denied",
	Doc:  "The network refuses the modem: all sessions end, +CEREG: 3, and dialling gives NO CARRIER until the fault is cleared.",
	Inject: func(m *dce.Modem, _ Params) (func(), error) {
		m.DenyRegistration(true)
		return func() { m.DenyRegistration(false) }, nil
	},
}
