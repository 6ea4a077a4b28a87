package ppp

import "errors"

var errPAPFormat = errors.New("PAP packet's lengths do not fit")

// appendPAPRequest makes the data of an Authenticate-Request (RFC 1334 section 2.2.1). Both strings are at most 255 octets.
func appendPAPRequest(dst []byte, name, password string) []byte {
	dst = append(append(dst, byte(len(name))), name...)
	return append(append(dst, byte(len(password))), password...)
}

func parsePAPRequest(b []byte) (name, password string, err error) {
	n, rest, ok := lengthPrefixed(b)
	p, _, ok2 := lengthPrefixed(rest)
	if !ok || !ok2 {
		return "", "", errPAPFormat
	}
	return string(n), string(p), nil
}

// lengthPrefixed splits off a field that a one-octet length precedes.
func lengthPrefixed(b []byte) (field, rest []byte, ok bool) {
	if len(b) == 0 || len(b) < 1+int(b[0]) {
		return nil, nil, false
	}
	n := 1 + int(b[0])
	return b[1:n], b[n:], true
}
