package sms

import "fmt"

// What a message holds, and a part of a longer one, which has six octets of header (TS 23.040 section 9.2.3.24.1).
const (
	septetsOfPart = maxSeptets - 7
	octetsOfPart  = maxOctets - 6
	maxParts      = 255
)

// Split makes user data of a text of any length: one message if it fits, else parts that bear the reference. The default alphabet is
// used where it has all characters. No character is cut in two.
func Split(text string, reference byte) (dcs byte, parts []UserData, err error) {
	data, err := EncodeGSM(text)
	whole, each := maxSeptets, septetsOfPart
	together := func(at int) bool { return data[at-1] == escape }
	if err != nil {
		dcs, data = DCSUCS2, EncodeUCS2(text)
		whole, each = maxOctets, octetsOfPart
		together = func(at int) bool { return data[at-2]&0xfc == 0xd8 } // a high surrogate
	}
	if len(data) <= whole {
		return dcs, []UserData{{Data: data}}, nil
	}
	unit := 1
	if dcs == DCSUCS2 {
		unit = 2
	}
	for len(data) > 0 {
		n := min(each, len(data))
		if n < len(data) && together(n) {
			n -= unit
		}
		parts = append(parts, UserData{Data: data[:n:n]})
		data = data[n:]
	}
	if len(parts) > maxParts {
		return 0, nil, fmt.Errorf("text of %d parts: at most %d are allowed", len(parts), maxParts)
	}
	for i := range parts {
		parts[i].Header = []Element{Concat{uint16(reference), false, len(parts), i + 1}.element()}
	}
	return dcs, parts, nil
}
