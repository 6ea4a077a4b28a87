package fault

import "minato/agent/ppp"

// AuthRefused is a network that does not like the password and says so in PPP.
var AuthRefused = Fault{
	Name: "auth-refused",
	Doc:  "The user name and password are refused: CHAP Failure or PAP Authenticate-Nak, then Terminate-Request and NO CARRIER. Calls that are up stay up.",
	Params: []Param{
		text("message", "of the refusal", "authentication failed"),
	},
	Inject: func(t Target, p Params) (func(), error) {
		return t.FailPPP(func(f *ppp.Faults) { f.RefuseAuth, f.Message = true, p["message"] }), nil
	},
}
