// Package hdlc is the HDLC-like framing of PPP on an octet-stuffed line (RFC 1662): flags, escapes, the ACCM and the 16-bit FCS.
//
//	7e  address control protocol information FCS  7e
//	    `---- header, payload: the caller's ---'
//
// AppendFrame makes frames, a Decoder finds them again in chunks cut anywhere. Both are made for speed, since a modem's whole traffic
// passes here twice. The Decoder also sees the one thing on a data-mode line that is no frame: the modem's NO CARRIER.
package hdlc

const (
	flag   = 0x7e
	escape = 0x7d
	toggle = 0x20 // an escaped octet has this bit inverted
)

// inACCM tells whether b is a control character that the map names.
func inACCM(accm uint32, b byte) bool {
	return b < 0x20 && accm>>b&1 != 0
}
