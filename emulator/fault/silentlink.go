package fault

// SilentLink loses every packet.
var SilentLink = Fault{
	Name: "silent-link",
	Doc:  "IP packets are lost both ways and nothing is said: the call, the session and the registration stay as they are.",
	Params: []Param{
		boolean("lcp", "the modem's PPP server falls silent too, so that LCP echo requests are not answered", false),
	},
	Inject: func(t Target, p Params) (func(), error) {
		t.SetSilent(true, p.is("lcp"))
		return func() { t.SetSilent(false, false) }, nil
	},
}
