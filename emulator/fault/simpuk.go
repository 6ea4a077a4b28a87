package fault

import (
	"regexp"

	"minato/emulator/dce"
)

var pukSyntax = regexp.MustCompile(`^[0-9]{8}$`)

// SIMPUK asks for the PUK.
var SIMPUK = Fault{
	Name: "sim-puk",
	Doc:  "The SIM's PIN is blocked after three wrong tries: +CPIN: SIM PUK, all sessions end. Clearing gives the lock back as it was.",
	Params: []Param{
		{Name: "puk", Type: "text", Doc: "the PUK that opens it", Default: "12345678", Allowed: "eight digits", Valid: pukSyntax.MatchString},
	},
	Inject: func(t Target, p Params) (func(), error) {
		return t.LayLock(dce.SIMLock{PIN: "1234", PUK: p["puk"], BadPIN: 3})
	},
}
