// Package fault holds what can be made to go wrong with an emulated modem: one file each, and the table of all.
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
	Name   string
	Doc    string // what happens, as the agent sees it
	Params []Param

	// Inject makes it happen. clear makes an end of it; it is nil when there is nothing to end, as with a lost carrier.
	Inject func(m *dce.Modem, p Params) (clear func(), err error)
}

// Param is a parameter of a fault.
type Param struct {
	Name    string
	Doc     string
	Default string
	Allowed string                  // in words
	Valid   func(value string) bool // nil: anything
}

// Params are the values of a fault's parameters, defaults filled in.
type Params map[string]string

// All is every fault, in the order in which they are listed.
var All = []Fault{
	NoCarrier,
	SilentLink,
	Deact,
	Detach,
	RegistrationDenied,
	SIMOut,
	SIMPIN,
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
		if d := f.Params[i]; d.Valid != nil && !d.Valid(value) {
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
