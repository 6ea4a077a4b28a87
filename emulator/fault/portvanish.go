package fault

import (
	"errors"
	"regexp"
	"time"
)

// PortVanish is a USB modem that enumerates again.
var PortVanish = Fault{
	Name: "port-vanish",
	Doc:  "The port is gone, as when the plug is pulled, and comes back after a while under another name. Calls on it end. Clearing gives it its own name back.",
	Params: []Param{
		choice("port", "which of the modem's ports", "all", "all", "at", "ppp"),
		duration("after", "how long it is away", 2*time.Second, 0, time.Hour),
		{
			Name: "suffix", Type: "text", Doc: "what is added to its name when it comes back; empty: the same name, another device",
			Default: "-1", Allowed: "up to 16 letters, digits, - and _", Valid: suffixSyntax.MatchString,
		},
		boolean("reset", "the modem was without power meanwhile: it boots", false),
	},
	Inject: func(t Target, p Params) (func(), error) {
		ports := []string{p["port"]}
		if p["port"] == allPorts {
			ports = []string{"at", "ppp"}
		}
		var gone []string
		var err error
		for _, port := range ports {
			if uerr := t.Ports.Unplug(port); uerr == nil {
				gone = append(gone, port)
			} else if p["port"] != allPorts || err != nil {
				return nil, uerr
			} else {
				err = uerr // a modem with one port only
			}
		}
		if p.is("reset") {
			t.Reset()
		}
		back := make(chan error, 1)
		stop := background(func(stop <-chan struct{}) {
			if pause(stop, p.dur("after")) {
				back <- plug(t.Ports, gone, p["suffix"])
			}
		})
		return func() {
			stop()
			if len(back) > 0 && p["suffix"] == "" {
				return
			}
			for _, port := range gone {
				t.Ports.Unplug(port) // the error is that it is away already
			}
			plug(t.Ports, gone, "")
		}, nil
	},
}

// plug brings ports back.
func plug(ports Ports, gone []string, suffix string) error {
	var errs []error
	for _, port := range gone {
		errs = append(errs, ports.Plug(port, suffix))
	}
	return errors.Join(errs...)
}

var suffixSyntax = regexp.MustCompile(`^[A-Za-z0-9_-]{0,16}$`)
