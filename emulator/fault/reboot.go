package fault

// Reboot is a modem that crashes.
var Reboot = Fault{
	Name:      "reboot",
	Doc:       "The modem switches itself off and on: calls end with nothing said, volatile settings are lost, and RDY comes as after power-on.",
	Momentary: true,
	Inject: func(t Target, _ Params) (func(), error) {
		t.Reset()
		return nil, nil
	},
}
