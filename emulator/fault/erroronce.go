package fault

import "minato/emulator/dce"

// ErrorOnce is a modem that is busy with something else.
var ErrorOnce = Fault{
	Name:   "error-once",
	Doc:    "A command line is answered with ERROR and not carried out; the same line works when it is said again.",
	Params: []Param{match(), counted(1)},
	Inject: func(t Target, p Params) (func(), error) {
		left, hits := newBudget(p.num("count")), prefix(p["match"])
		return t.Hook(dce.Hook{Refuse: func(_ dce.PortRef, line string) bool { return hits(line) && left.take() }}), nil
	},
}
