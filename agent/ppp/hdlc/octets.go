// Package hdlc is the HDLC-like framing of PPP on an octet-stuffed line (RFC 1662): flags, escapes, the ACCM and the 16-bit FCS.
//
//	7e  address control protocol information FCS  7e
//	    `---- header, payload: the caller's ---'
//
// AppendFrame makes frames, a Decoder finds them again in chunks cut anywhere. Both work on eight octets at a time, since a modem's
// whole traffic passes here twice. The Decoder also sees the one thing on a data-mode line that is no frame: the modem's NO CARRIER.
package hdlc

const (
	flag   = 0x7e
	escape = 0x7d
	toggle = 0x20 // an escaped octet has this bit inverted

	wordSize = 8
	lows     = 0x0101010101010101
	highs    = 0x8080808080808080
	flags    = flag * lows
	escapes  = escape * lows
)

// octetsEqual sets the top bit of each octet of w that equals the octet repeated in pattern. Octets above the lowest match may be
// marked wrongly (a borrow runs through them), so only the lowest mark is to be used.
func octetsEqual(w, pattern uint64) uint64 {
	v := w ^ pattern
	return (v - lows) &^ v & highs
}

// inACCM tells whether b is a control character that the map names.
func inACCM(accm uint32, b byte) bool {
	return b < 0x20 && accm>>b&1 != 0
}
