package fault

import "errors"

// TerminateRequest is a modem that ends the link in good order.
var TerminateRequest = Fault{
	Name:      "terminate-request",
	Doc:       "The modem's PPP server says Terminate-Request, then NO CARRIER. The modem stays registered.",
	Momentary: true,
	Inject: func(t Target, _ Params) (func(), error) {
		if !t.TerminatePPP() {
			return nil, errors.New("terminate-request: the modem has no data call")
		}
		return nil, nil
	},
}
