package sms

import (
	"fmt"
	"strings"
	"unicode/utf16"
)

// escape is the septet that leads to the extension table (TS 23.038 section 6.2.1.1).
const escape = 0x1b

// alphabet is the GSM 7-bit default alphabet in the order of its codes (TS 23.038 section 6.2.1).
var alphabet = [128]rune([]rune("@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?" +
	"¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"))

// extension is reached by way of escape.
var extension = map[byte]rune{
	0x0a: '\f', 0x14: '^', 0x28: '{', 0x29: '}', 0x2f: '\\', 0x3c: '[', 0x3d: '~', 0x3e: ']', 0x40: '|', 0x65: '€',
}

var septetsOf = func() map[rune][]byte {
	m := map[rune][]byte{}
	for i, r := range alphabet {
		if i != escape {
			m[r] = []byte{byte(i)}
		}
	}
	for b, r := range extension {
		m[r] = []byte{escape, b}
	}
	return m
}()

// EncodeGSM gives the septets of a text, one a byte.
func EncodeGSM(text string) ([]byte, error) {
	out := make([]byte, 0, len(text))
	for _, r := range text {
		s, ok := septetsOf[r]
		if !ok {
			return nil, fmt.Errorf("encoding %q: not in the GSM 7-bit default alphabet", r)
		}
		out = append(out, s...)
	}
	return out, nil
}

// DecodeGSM gives the text of septets. An escape to nothing known shows the character of the main table, or a space, as
// TS 23.038 section 6.2.1.1 asks of a receiver.
func DecodeGSM(septets []byte) string {
	var b strings.Builder
	for i := 0; i < len(septets); i++ {
		c := septets[i] & 0x7f
		if c != escape {
			b.WriteRune(alphabet[c])
			continue
		}
		if i++; i == len(septets) {
			b.WriteByte(' ')
			break
		}
		c = septets[i] & 0x7f
		switch r, ok := extension[c]; {
		case ok:
			b.WriteRune(r)
		case c == escape:
			b.WriteByte(' ')
		default:
			b.WriteRune(alphabet[c])
		}
	}
	return b.String()
}

// EncodeUCS2 gives big-endian 16-bit units. What needs two of them is UTF-16, as all phones send it although UCS2 has none.
func EncodeUCS2(text string) []byte {
	var out []byte
	for _, u := range utf16.Encode([]rune(text)) {
		out = append(out, byte(u>>8), byte(u))
	}
	return out
}

// DecodeUCS2 gives the text of 16-bit units; an odd octet at the end is an error.
func DecodeUCS2(b []byte) (string, error) {
	if len(b)%2 != 0 {
		return "", fmt.Errorf("decoding UCS2: %d octets are no whole characters", len(b))
	}
	units := make([]uint16, len(b)/2)
	for i := range units {
		units[i] = uint16(b[2*i])<<8 | uint16(b[2*i+1])
	}
	return string(utf16.Decode(units)), nil
}
