package fault

// RegistrationDenied is a network that does not want the modem.
var RegistrationDenied = Fault{
	Name: "registration-denied",
	Doc:  "The network refuses the modem: all sessions end, +CEREG: 3, and dialling gives NO CARRIER until the fault is cleared.",
	Inject: func(t Target, _ Params) (func(), error) {
		t.DenyRegistration(true)
		return func() { t.DenyRegistration(false) }, nil
	},
}
