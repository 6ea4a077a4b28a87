package fault

import (
	"regexp"

	"minato/emulator/dce"
)

var pinSyntax = regexp.MustCompile(`^[0-9]{4,8}$`)

// SIMPIN asks for a PIN.
var SIMPIN = Fault{
	Name: "sim-pin",
	Doc:  "The SIM is locked by a PIN with three tries: +CPIN: SIM PIN, all sessions end. Clearing takes the lock off.",
	Params: []Param{
		{Name: "pin", Doc: "the PIN that opens it", Default: "1234", Allowed: "four to eight digits", Valid: pinSyntax.MatchString},
	},
	Inject: func(m *dce.Modem, p Params) (func(), error) {
		if err := m.LockSIM(p["pin"]); err != nil {
			return nil, err
		}
		return func() { m.UnlockSIM() }, nil
	},
}
