package fault

import "strconv"

// boolean is a parameter that is true or false.
func boolean(name, doc string, preset bool) Param {
	return Param{Name: name, Doc: doc, Default: strconv.FormatBool(preset), Allowed: "true or false", Valid: func(v string) bool {
		return v == "true" || v == "false"
	}}
}

// number is a parameter that is a whole number from lo to hi.
func number(name, doc string, preset, lo, hi int) Param {
	return Param{Name: name, Doc: doc, Default: strconv.Itoa(preset), Allowed: strconv.Itoa(lo) + " to " + strconv.Itoa(hi), Valid: func(v string) bool {
		n, err := strconv.Atoi(v)
		return err == nil && n >= lo && n <= hi
	}}
}

// is and num read what Check has let through.
func (p Params) is(name string) bool { return p[name] == "true" }

func (p Params) num(name string) int {
	n, _ := strconv.Atoi(p[name])
	return n
}
