package fault

// SIMOut takes the card out.
var SIMOut = Fault{
	Name: "sim-out",
	Doc:  "The SIM is taken out: +CPIN: NOT READY, all sessions end, SIM commands give +CME ERROR: 10. Clearing puts it back.",
	Inject: func(t Target, _ Params) (func(), error) {
		t.SetSIMInserted(false)
		return func() { t.SetSIMInserted(true) }, nil
	},
}
