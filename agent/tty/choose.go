package tty

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
)

// USBModem is a modem on USB with a port for commands.
type USBModem struct {
	Bus, USB, Serial, Product string
	AT, PPP                   string // ports; PPP is "" where commands and calls share one
}

// ErrAmbiguous is returned where more than one modem fits.
var ErrAmbiguous = errors.New("more than one modem is there")

// Modems puts the ports of each modem together. Devices whose interfaces are not known are none.
func Modems(ports []Device) []USBModem {
	var out []USBModem
	index := map[string]int{}
	for _, d := range ports {
		if d.Role != "at" && d.Role != "ppp" {
			continue
		}
		i, ok := index[d.Bus]
		if !ok {
			i = len(out)
			index[d.Bus] = i
			out = append(out, USBModem{Bus: d.Bus, USB: d.USB, Serial: d.Serial, Product: d.Product})
		}
		if d.Role == "at" {
			out[i].AT = d.Path
		} else {
			out[i].PPP = d.Path
		}
	}
	for i := range out {
		if out[i].AT == "" { // the modem port takes commands, too
			out[i].AT, out[i].PPP = out[i].PPP, ""
		}
	}
	return out
}

// Choose finds the modem that is meant: by USB id "2c7c:0125", by place "1-1.3", by serial number, or, with "", the only one. One that has
// an interface without its port comes with ErrIncomplete: the port is about to come, as each does by itself, or never will.
func Choose(sys fs.FS, which string) (USBModem, error) {
	ports, err := Find(sys)
	if err != nil {
		return USBModem{}, err
	}
	var fit []USBModem
	var names []string
	for _, m := range Modems(ports) {
		if which == "" || strings.EqualFold(which, m.USB) || which == m.Bus || which == m.Serial {
			fit = append(fit, m)
			names = append(names, fmt.Sprintf("%s at %s (%s)", m.USB, m.Bus, m.AT))
		}
	}
	switch {
	case len(fit) == 1 && isIncomplete(sys, fit[0]):
		return fit[0], &Error{Path: "auto", Err: fmt.Errorf("%w: %s", ErrIncomplete, names[0])}
	case len(fit) == 1:
		return fit[0], nil
	case len(fit) > 1:
		return USBModem{}, &Error{Path: "auto", Err: fmt.Errorf("%w: %s", ErrAmbiguous, strings.Join(names, ", "))}
	case which != "":
		return USBModem{}, &Error{Path: "auto", Err: fmt.Errorf("%w: no modem %q on USB", ErrNotFound, which)}
	}
	return USBModem{}, &Error{Path: "auto", Err: fmt.Errorf("%w: no known modem on USB", ErrNotFound)}
}
