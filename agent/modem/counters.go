package modem

import (
	"fmt"
	"strings"
)

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

// parseCounter reads a vendor's line of counters, of which the PIN's has a fixed place: +QPINC: "SC",<PIN>,<PUK>;
// +SPIC: <PIN>,<PUK>,<PIN2>,<PUK2>; +UPINCNT: <PIN>,<PIN2>,<PUK>,<PUK2>; ^CPIN: <code>,<times>,<PUK>,<PIN>,<PUK2>,<PIN2>.
func parseCounter(name string, place int) func(line string) (int, error) {
	return func(line string) (int, error) {
		f, err := values(line, name, place+1)
		if err != nil {
			return 0, err
		}
		if name == "+QPINC" && !strings.EqualFold(f[0], "SC") {
			return 0, fmt.Errorf("+QPINC is about %.20q", f[0])
		}
		return number("the PIN counter", f[place], 0, 255)
	}
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
