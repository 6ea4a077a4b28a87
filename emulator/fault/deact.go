package fault

// Deact is the network's deactivation of a PDP context.
var Deact = Fault{
	Name:      "deact",
	Doc:       "The network deactivates a PDP context that is used: +CGEV: NW PDN DEACT where +CGEREP asks for it, PPP ends in good order, NO CARRIER is printed. There is no default bearer until the modem attaches again.",
	Momentary: true,
	Params: []Param{
		number("cid", "the PDP context", 1, 1, 255),
	},
	Inject: func(t Target, p Params) (func(), error) {
		return nil, t.DeactivatePDN(p.num("cid"))
	},
}
