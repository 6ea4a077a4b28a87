package fault

import "minato/emulator/dce"

// SilentLink loses every packet.
var SilentLink = Fault{
	Name: "silent-link",
	Doc:  "IP packets are lost both ways and nothing is said: the call, the session and the registration stay as they are.",
	Params: []Param{
		boolean("lcp", "the modem's PPP server falls silent too, so that LCP echo requests are not answered", false),
	},
	Inject: func(m *dce.Modem, p Params) (func(), error) {
		m.SetSilent(true, p.is("lcp"))
		return func() { m.SetSilent(false, false) }, nil
	},
}
