package sms

import (
	"fmt"
	"strings"
)

// Types of address that are used most (TS 24.011 section 8.2.5.2): type of number, numbering plan.
const (
	TypeUnknown       byte = 0x81 // 129
	TypeInternational byte = 0x91 // 145
	TypeAlphanumeric  byte = 0xd0 // 208
)

const (
	maxDigits       = 20 // of an address field: ten octets (TS 23.040 section 9.1.2.5)
	maxAlphanumeric = 11 // characters in as many octets
	semiOctets      = "0123456789*#abc"
)

// Address is a telephone number, or a name of up to eleven characters. The zero value is none.
type Address struct {
	Type byte // the type-of-address octet
	Text string
}

// ParseAddress reads a number with an optional plus sign.
func ParseAddress(s string) (Address, error) {
	a := Address{TypeUnknown, s}
	if rest, ok := strings.CutPrefix(s, "+"); ok {
		a = Address{TypeInternational, rest}
	}
	if a.Text == "" {
		return Address{}, fmt.Errorf("address %q: there are no digits", s)
	}
	return a, a.validate()
}

// ParseSender reads a number, or takes a name as one that only a service centre can send from.
func ParseSender(s string) (Address, error) {
	if a, err := ParseAddress(s); err == nil {
		return a, nil
	}
	a := Address{TypeAlphanumeric, s}
	if err := a.validate(); err != nil {
		return Address{}, fmt.Errorf("%w; a number or a name of 1 to %d characters is allowed", err, maxAlphanumeric)
	}
	return a, nil
}

// String gives the number with a plus sign where it is international.
func (a Address) String() string {
	if a.Type&0x70 == 0x10 {
		return "+" + a.Text
	}
	return a.Text
}

func (a Address) alphanumeric() bool { return a.Type&0x70 == 0x50 }

func (a Address) validate() error {
	if a == (Address{}) {
		return nil
	}
	if a.Type&0x80 == 0 {
		return fmt.Errorf("address %q: type %d lacks its first bit", a.Text, a.Type)
	}
	if a.alphanumeric() {
		septets, err := EncodeGSM(a.Text)
		if err != nil {
			return fmt.Errorf("address %q: %w", a.Text, err)
		}
		if len(septets) == 0 || len(septets) > maxAlphanumeric {
			return fmt.Errorf("address %q: 1 to %d characters are allowed", a.Text, maxAlphanumeric)
		}
		return nil
	}
	if len(a.Text) > maxDigits {
		return fmt.Errorf("address %q: at most %d digits are allowed", a.Text, maxDigits)
	}
	for i := range len(a.Text) {
		if strings.IndexByte(semiOctets, a.Text[i]) < 0 {
			return fmt.Errorf("address %q: %q is no digit", a.Text, a.Text[i])
		}
	}
	return nil
}

// append adds the address as a TP address field: length in semi-octets, type, value (TS 23.040 section 9.1.2.5).
func (a Address) append(b []byte) ([]byte, error) {
	if err := a.validate(); err != nil {
		return nil, err
	}
	if a == (Address{}) {
		return append(b, 0, TypeUnknown), nil
	}
	if a.alphanumeric() {
		septets, err := EncodeGSM(a.Text)
		if err != nil {
			return nil, err
		}
		b = append(b, byte((7*len(septets)+3)/4), a.Type)
		return append(b, packSeptets(septets, 0)...), nil
	}
	b = append(b, byte(len(a.Text)), a.Type)
	return append(b, packDigits(a.Text)...), nil
}

// address reads a TP address field.
func (r *reader) address(what string) Address {
	n := int(r.octet(what))
	a := Address{Type: r.octet(what)}
	if n > maxDigits {
		r.fail("%s: %d semi-octets, at most %d are allowed", what, n, maxDigits)
	}
	value := r.take((n+1)/2, what)
	if r.err != nil {
		return Address{}
	}
	if a.Type&0x80 == 0 {
		r.fail("%s: type %d lacks its first bit", what, a.Type)
		return Address{}
	}
	if a.alphanumeric() {
		if n < 2 {
			r.fail("%s: a name of %d semi-octets", what, n)
			return Address{}
		}
		a.Text = DecodeGSM(unpackSeptets(value, 4*n/7, 0))
		if a.validate() != nil { // an escape to nothing: the text that it shows as is not what was sent
			r.fail("%s: %q is no name", what, a.Text)
		}
		return a
	}
	if n == 0 {
		return Address{}
	}
	var ok bool
	if a.Text, ok = unpackDigits(value); !ok || len(a.Text) != n {
		r.fail("%s: % x are not %d digits", what, value, n)
	}
	return a
}

// AppendCentre adds a service centre address as it stands before a TPDU: length in octets, type, value; the zero value is a length
// of 0, which means the one that the modem knows (TS 27.005 section 3.1).
func AppendCentre(b []byte, a Address) []byte {
	if a == (Address{}) {
		return append(b, 0)
	}
	digits := packDigits(a.Text)
	b = append(b, byte(len(digits)+1), a.Type)
	return append(b, digits...)
}

// SplitCentre takes a service centre address off the front of a PDU.
func SplitCentre(pdu []byte) (centre Address, tpdu []byte, err error) {
	r := reader{b: pdu}
	n := int(r.octet("service centre address"))
	if n > 1+maxDigits/2 {
		r.fail("service centre address: %d octets, at most %d are allowed", n, 1+maxDigits/2)
	}
	if n > 0 {
		centre.Type = r.octet("service centre address")
		value := r.take(n-1, "service centre address")
		var ok bool
		if centre.Text, ok = unpackDigits(value); r.err == nil && (!ok || centre.Text == "" || centre.Type&0x80 == 0 || centre.alphanumeric()) {
			r.fail("service centre address: %d and % x are no number", centre.Type, value)
		}
	}
	if r.err != nil {
		return Address{}, nil, r.err
	}
	return centre, pdu[r.at:], nil
}

// packDigits gives semi-octets, the first digit in the low half, filled up with 1111.
func packDigits(digits string) []byte {
	out := make([]byte, (len(digits)+1)/2)
	for i := range out {
		high := 0xf
		if 2*i+1 < len(digits) {
			high = strings.IndexByte(semiOctets, digits[2*i+1])
		}
		out[i] = byte(strings.IndexByte(semiOctets, digits[2*i])) | byte(high)<<4
	}
	return out
}

// unpackDigits reads semi-octets; only the very last may be the filler.
func unpackDigits(b []byte) (string, bool) {
	out := make([]byte, 0, 2*len(b))
	for i, o := range b {
		if o&0xf == 0xf {
			return "", false
		}
		out = append(out, semiOctets[o&0xf])
		if o>>4 == 0xf {
			return string(out), i == len(b)-1
		}
		out = append(out, semiOctets[o>>4])
	}
	return string(out), true
}
