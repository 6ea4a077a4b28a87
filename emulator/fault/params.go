package fault

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Param is a parameter of a fault.
type Param struct {
	Name    string
	Type    string // boolean, number, duration, choice, text
	Doc     string
	Default string
	Allowed string // in words
	Valid   func(value string) bool
}

// Params are the values of a fault's parameters, defaults filled in.
type Params map[string]string

// boolean is a parameter that is true or false.
func boolean(name, doc string, preset bool) Param {
	p := choice(name, doc, strconv.FormatBool(preset), "true", "false")
	p.Type = "boolean"
	return p
}

// number is a parameter that is a whole number from lo to hi.
func number(name, doc string, preset, lo, hi int) Param {
	return Param{Name: name, Type: "number", Doc: doc, Default: strconv.Itoa(preset), Allowed: fmt.Sprintf("%d to %d", lo, hi), Valid: func(v string) bool {
		n, err := strconv.Atoi(v)
		return err == nil && n >= lo && n <= hi
	}}
}

// duration is a parameter that is a time from lo to hi, as Go writes it.
func duration(name, doc string, preset, lo, hi time.Duration) Param {
	return Param{Name: name, Type: "duration", Doc: doc, Default: preset.String(), Allowed: fmt.Sprintf("%v to %v, as 300ms or 1m30s", lo, hi), Valid: func(v string) bool {
		d, err := time.ParseDuration(v)
		return err == nil && d >= lo && d <= hi
	}}
}

// choice is a parameter that is one of a few words.
func choice(name, doc, preset string, of ...string) Param {
	allowed := strings.Join(of[:len(of)-1], ", ") + " or " + of[len(of)-1]
	return Param{Name: name, Type: "choice", Doc: doc, Default: preset, Allowed: allowed, Valid: func(v string) bool { return slices.Contains(of, v) }}
}

// maxText bounds a text: no command line and no result is much longer.
const maxText = 160

// text is a parameter that is printed on the line.
func text(name, doc, preset string) Param {
	return Param{Name: name, Type: "text", Doc: doc, Default: preset, Allowed: fmt.Sprintf("up to %d printable ASCII characters", maxText), Valid: func(v string) bool {
		return len(v) <= maxText && !strings.ContainsFunc(v, func(r rune) bool { return r < ' ' || r > '~' })
	}}
}

// port is the parameter that all faults of the line have.
func port() Param {
	return choice("port", "on which of the modem's ports; each connection to a socket is an at port", allPorts, allPorts, "at", "ppp")
}

const allPorts = "all"

// counted is the parameter of faults that hit a number of commands.
func counted(preset int) Param {
	return number("count", "how many command lines are hit; 0: all until the fault is cleared", preset, 0, 1_000_000)
}

// match is the parameter of faults that hit certain commands only.
func match() Param {
	return text("match", `only command lines that begin so, without their AT, as "+CREG?"; empty: any`, "")
}

// is, num and dur read what Check has let through.
func (p Params) is(name string) bool { return p[name] == "true" }

func (p Params) num(name string) int {
	n, _ := strconv.Atoi(p[name])
	return n
}

func (p Params) dur(name string) time.Duration {
	d, _ := time.ParseDuration(p[name])
	return d
}
