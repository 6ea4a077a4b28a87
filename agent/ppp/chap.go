package ppp

import "errors"

const chapChallengeSize = 16

var errCHAPFormat = errors.New("CHAP packet's value size does not fit")

// appendCHAPValue makes the data of a Challenge or a Response (RFC 1994 section 4.1).
func appendCHAPValue(dst, value []byte, name string) []byte {
	dst = append(append(dst, byte(len(value))), value...)
	return append(dst, name...)
}

func parseCHAPValue(b []byte) (value []byte, name string, err error) {
	value, rest, ok := lengthPrefixed(b)
	if !ok || len(value) == 0 {
		return nil, "", errCHAPFormat
	}
	return value, string(rest), nil
}
