package modem

import (
	"fmt"
	"strings"
)

// Profile is how a vendor's modems differ from 27.007.
type Profile struct {
	Name         string
	Manufacturer []string // beginnings of +CGMI, lower case

	ICCID   []string    // commands that give the SIM's number, in the order to try
	Retries []retryRead // commands that give the PIN's counter, in the order to try
	Auth    string      // sets a context's user and password: context, protocol (1 PAP, 2 CHAP), user, password
	NoAuth  string      // clears them: context
	Dial    []string    // dial commands, in the order to try: context
}

// retryRead is one way to learn how many tries a PIN has left.
type retryRead struct {
	cmd   string
	parse func(line string) (tries int, err error)
}

// generic is what a modem of no known vendor gets.
var generic = Profile{
	Name:    "generic",
	ICCID:   []string{"+CCID", "+ICCID", "+CICCID", "+QCCID"},
	Retries: []retryRead{{`+CPINR="SIM PIN"`, parseCPINR}, {`+CSIM=10,"0020000100"`, parseVerify}, {`+CSIM=8,"00200001"`, parseVerify}},
	Auth:    `+CGAUTH=%d,%d,%s,%s`,
	NoAuth:  `+CGAUTH=%d,0`,
	Dial:    []string{"D*99***%d#", `+CGDATA="PPP",%d`},
}

var quectel = Profile{
	Name:         "quectel",
	Manufacturer: []string{"quectel"},
	ICCID:        []string{"+QCCID", "+CCID"},
	Retries:      append([]retryRead{{`+QPINC="SC"`, parseQPINC}}, generic.Retries...),
	Auth:         generic.Auth,
	NoAuth:       generic.NoAuth,
	Dial:         generic.Dial,
}

var profiles = []*Profile{&quectel}

// profileFor finds the profile of a manufacturer; the generic one where none is known.
func profileFor(manufacturer string) *Profile {
	name := strings.ToLower(manufacturer)
	for _, p := range profiles {
		for _, beginning := range p.Manufacturer {
			if strings.HasPrefix(name, beginning) {
				return p
			}
		}
	}
	return &generic
}

// parseCPINR reads the counter of 27.007, 8.65: +CPINR: <code>,<retries>[,<default>].
func parseCPINR(line string) (int, error) {
	f, err := values(line, "+CPINR", 2)
	if err != nil {
		return 0, err
	}
	if !strings.EqualFold(f[0], "SIM PIN") {
		return 0, fmt.Errorf("+CPINR is about %.20q", f[0])
	}
	return number("the PIN counter", f[1], 0, 255)
}

// parseQPINC reads Quectel's counter: +QPINC: "SC",<PIN retries>,<PUK retries>.
func parseQPINC(line string) (int, error) {
	f, err := values(line, "+QPINC", 2)
	if err != nil {
		return 0, err
	}
	if !strings.EqualFold(f[0], "SC") {
		return 0, fmt.Errorf("+QPINC is about %.20q", f[0])
	}
	return number("the PIN counter", f[1], 0, 255)
}

// parseVerify reads the SIM's answer to VERIFY without a PIN (ETSI TS 102 221, 11.1.9), which changes nothing:
// +CSIM: 4,"63Cx" with x tries left, 6983 when none are, 9000 when no PIN is asked for.
func parseVerify(line string) (int, error) {
	f, err := values(line, "+CSIM", 2)
	if err != nil {
		return 0, err
	}
	status := strings.ToUpper(f[1])
	if len(status) != 4 {
		return 0, fmt.Errorf("the SIM answers %.20q to VERIFY", f[1])
	}
	switch {
	case strings.HasPrefix(status, "63C"):
		n := strings.IndexByte("0123456789ABCDEF", status[3])
		if n < 0 {
			return 0, fmt.Errorf("the SIM answers %q to VERIFY", status)
		}
		return n, nil
	case status == "6983" || status == "9840":
		return 0, nil
	}
	return 0, fmt.Errorf("the SIM answers %q to VERIFY", status)
}

// values splits a line of the given name into at least n values.
func values(line, name string, n int) ([]string, error) {
	rest, ok := strings.CutPrefix(line, name+":")
	if !ok {
		return nil, fmt.Errorf("%.40q is not a %s line", line, name)
	}
	f, err := splitFields(rest)
	if err != nil {
		return nil, err
	}
	if len(f) < n {
		return nil, fmt.Errorf("%.80q has %d values, not %d", line, len(f), n)
	}
	return f, nil
}
