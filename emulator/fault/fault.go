// Package fault holds what can be made to go wrong with an emulated modem: one file each, and the table of all.
//
// A fault takes hold of the modem at one of four places:
//
//	user <-> [Wire: bytes of a port] <-> [dce.Hook: command lines] <-> modem <-> [PPP server, air] <-> network
//
// To add one: write a file with a Fault, and name it in All.
package fault

import (
	"fmt"
	"slices"
	"strings"

	"minato/emulator/dce"
)

// Fault is one thing that can go wrong.
type Fault struct {
	Name      string
	Doc       string // what happens, as the agent sees it
	Params    []Param
	Momentary bool // it happens once, and there is nothing to end
	Hang      bool // the modem's program hangs: switching it off and on ends it

	// Inject makes it happen. clear makes an end of it, so that the modem is as before; it is nil where the fault is momentary.
	Inject func(t Target, p Params) (clear func(), err error)
}

// Target is the modem that a fault is injected into.
type Target struct {
	*dce.Modem
	Wires *Wires // of all its ports
	Ports Ports

	Messages func(from, text string) error // sends the SIM a short message
}

// Ports are the modem's pseudo-terminals, which can be pulled out.
type Ports interface {
	// Unplug ends the device of a port, "at" or "ppp"; it is an error when the modem has no such port.
	Unplug(port string) error

	// Plug makes a new device for it; its name is the port's own with suffix.
	Plug(port, suffix string) error
}

// All is every fault, in the order in which they are listed.
var All = []Fault{
	NoCarrier,
	SilentLink,
	TerminateRequest,
	EchoLoss,
	Loopback,
	FCSErrors,
	AuthRefused,
	IPCPSilent,
	DNSNak,
	Deact,
	Detach,
	RegistrationDenied,
	Flapping,
	WeakSignal,
	SIMOut,
	SIMBusy,
	SIMPIN,
	SIMPUK,
	Reboot,
	PortVanish,
	StalledReader,
	BaudMismatch,
	Fragments,
	CMUXSplit,
	CMUXN1,
	LateReply,
	LaggingReply,
	LostCommand,
	ErrorOnce,
	EchoOn,
	URCInReply,
	GluedURCs,
	SMSFlood,
}

// Find gives the fault of that name.
func Find(name string) (Fault, error) {
	i := slices.IndexFunc(All, func(f Fault) bool { return f.Name == name })
	if i < 0 {
		return Fault{}, fmt.Errorf("fault %q: not known, allowed are %s", name, strings.Join(names(), ", "))
	}
	return All[i], nil
}

func names() []string {
	list := make([]string, len(All))
	for i, f := range All {
		list[i] = f.Name
	}
	return list
}

// Check fills in defaults and refuses parameters that the fault does not have and values that it cannot use.
func (f Fault) Check(given map[string]string) (Params, error) {
	p := Params{}
	for _, d := range f.Params {
		p[d.Name] = d.Default
	}
	for name, value := range given {
		i := slices.IndexFunc(f.Params, func(d Param) bool { return d.Name == name })
		if i < 0 {
			return nil, fmt.Errorf("fault %s: parameter %q: not known, allowed are: %s", f.Name, name, f.paramNames())
		}
		if d := f.Params[i]; !d.Valid(value) {
			return nil, fmt.Errorf("fault %s: parameter %s: %q: allowed is %s", f.Name, name, value, d.Allowed)
		}
		p[name] = value
	}
	return p, nil
}

func (f Fault) paramNames() string {
	if len(f.Params) == 0 {
		return "none"
	}
	list := make([]string, len(f.Params))
	for i, d := range f.Params {
		list[i] = d.Name
	}
	return strings.Join(list, ", ")
}
