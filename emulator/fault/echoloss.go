package fault

import "minato/agent/ppp"

// EchoLoss is a PPP server that is asleep.
var EchoLoss = Fault{
	Name: "echo-loss",
	Doc:  "LCP echo requests are not answered.",
	Params: []Param{
		boolean("ip", "IP packets pass; if not, they are lost", true),
	},
	Inject: func(t Target, p Params) (func(), error) {
		restore := t.FailPPP(func(f *ppp.Faults) { f.EchoSilent = true })
		if p.is("ip") {
			return restore, nil
		}
		pass := t.LosePackets(100)
		return func() { pass(); restore() }, nil
	},
}
