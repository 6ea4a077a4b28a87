package fault

import "minato/agent/ppp"

// IPCPSilent is a bearer that does not come.
var IPCPSilent = Fault{
	Name: "ipcp-silent",
	Doc:  "LCP and authentication succeed and then nothing: IPCP is not answered. After half a minute the modem gives up with NO CARRIER.",
	Inject: func(t Target, _ Params) (func(), error) {
		return t.FailPPP(func(f *ppp.Faults) { f.IPCPSilent = true }), nil
	},
}
