package fault

import "errors"

// NoCarrier loses the carrier.
var NoCarrier = Fault{
	Name:      "no-carrier",
	Doc:       "The carrier of the data call is lost: PPP stops dead with no Terminate-Request, NO CARRIER is printed, the session is closed. The modem stays registered.",
	Momentary: true,
	Inject: func(t Target, _ Params) (func(), error) {
		if !t.DropCarrier() {
			return nil, errors.New("no-carrier: the modem has no data call")
		}
		return nil, nil
	},
}
