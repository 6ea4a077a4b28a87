package relay

import (
	"math"
	"regexp"
	"strconv"
)

var stringOrNumber = regexp.MustCompile(`"(?:[^"\\]|\\.)*"|-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?`)

// wholeNumbers writes the whole numbers of a JSON text without fraction and exponent, as Go takes them. JSON has one kind of number: 1800, 1800.0 and
// 1.8e3 are the same (RFC 8259 section 6), and some languages write the quotient or product of two numbers as the second.
func wholeNumbers(body []byte) []byte {
	const exact = 1 << 53 // below it all who read JSON agree (section 6)
	return stringOrNumber.ReplaceAllFunc(body, func(token []byte) []byte {
		n, err := strconv.ParseFloat(string(token), 64)
		if token[0] == '"' || err != nil || n != math.Trunc(n) || math.Abs(n) >= exact {
			return token
		}
		return strconv.AppendInt(nil, int64(n), 10)
	})
}
