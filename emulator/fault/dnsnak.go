package fault

import "minato/agent/ppp"

// DNSNak is a bearer that is never ready, as Qualcomm's modems tell it.
var DNSNak = Fault{
	Name: "dns-nak",
	Doc:  "Every IPCP request is naked with the name servers 10.11.12.13 and 10.11.12.14, which mean that the bearer is not ready; the network is never asked.",
	Inject: func(t Target, _ Params) (func(), error) {
		return t.FailPPP(func(f *ppp.Faults) { f.NotReady = true }), nil
	},
}
