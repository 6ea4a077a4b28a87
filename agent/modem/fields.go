package modem

import (
	"fmt"
	"strconv"
	"strings"
)

// maxFields bounds the values of one line; +CGCONTRDP has fewest below twenty.
const maxFields = 64

// splitFields cuts the values of an information line at commas outside quotation marks, and takes the quotation marks and the blanks
// around values off.
func splitFields(s string) ([]string, error) {
	var out []string
	quoted, start := false, 0
	for i := 0; i <= len(s); i++ {
		switch {
		case i < len(s) && s[i] == '"':
			quoted = !quoted
		case i == len(s) || s[i] == ',' && !quoted:
			if len(out) == maxFields {
				return nil, fmt.Errorf("more than %d values in %.40q", maxFields, s)
			}
			out = append(out, unquote(s[start:i]))
			start = i + 1
		}
	}
	if quoted {
		return nil, fmt.Errorf("no closing quotation mark in %.80q", s)
	}
	return out, nil
}

func unquote(s string) string {
	s = strings.TrimSpace(s)
	if len(s) >= 2 && s[0] == '"' && s[len(s)-1] == '"' {
		return s[1 : len(s)-1]
	}
	return s
}

// quote makes a string parameter (V.250, 5.4.2.2). A quotation mark or a control character cannot be sent in one.
func quote(name, s string) (string, error) {
	for i := 0; i < len(s); i++ {
		if s[i] < ' ' || s[i] == '"' || s[i] >= 0x7f {
			return "", fmt.Errorf("%s has a character that an AT command cannot carry (quotation mark, control or non-ASCII)", name)
		}
	}
	return `"` + s + `"`, nil
}

// number reads a decimal value in a range.
func number(what, s string, low, high int) (int, error) {
	n, err := strconv.Atoi(strings.TrimSpace(s))
	if err != nil || n < low || n > high {
		return 0, fmt.Errorf("%s is %.40q, not a number from %d to %d", what, s, low, high)
	}
	return n, nil
}

// digits tells a non-empty string of decimal digits.
func digits(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}
