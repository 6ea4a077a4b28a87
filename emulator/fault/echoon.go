package fault

import "minato/emulator/dce"

// EchoOn is a modem that forgot E0.
var EchoOn = Fault{
	Name: "echo-on",
	Doc:  "Commands are echoed again on every port, as after a reset that nobody was told of.",
	Params: []Param{
		boolean("forced", "E0 does not help; if not, it does", false),
	},
	Inject: func(t Target, p Params) (func(), error) {
		if p.is("forced") {
			return t.Hook(dce.Hook{Echo: true}), nil
		}
		return t.SetEcho(true), nil
	},
}
