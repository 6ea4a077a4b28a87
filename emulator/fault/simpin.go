package fault

import (
	"regexp"

	"minato/emulator/dce"
)

var pinSyntax = regexp.MustCompile(`^[0-9]{4,8}$`)

// SIMPIN asks for a PIN.
var SIMPIN = Fault{
	Name: "sim-pin",
	Doc:  "The SIM is locked by a PIN with three tries: +CPIN: SIM PIN, all sessions end. Clearing gives the lock back as it was.",
	Params: []Param{
		{Name: "pin", Type: "text", Doc: "the PIN that opens it", Default: "1234", Allowed: "four to eight digits", Valid: pinSyntax.MatchString},
	},
	Inject: func(t Target, p Params) (func(), error) { return t.LayLock(dce.SIMLock{PIN: p["pin"]}) },
}
