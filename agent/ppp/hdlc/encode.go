package hdlc

import (
	"bytes"
	"slices"
)

// AppendFrame appends one frame to dst: header and payload (which together are what the FCS covers), the FCS, and the flags around
// them. The header is the caller's address, control and protocol fields, compressed or not; it is apart from the payload so that a
// packet need not be copied to get one. Octets below 0x20 whose bit is set in accm are escaped besides flag and escape.
//
// When dst ends in a flag, that flag also opens this frame (RFC 1662 section 3.1), so a batch shares its flags.
func AppendFrame(dst []byte, accm uint32, header, payload []byte) []byte {
	dst = slices.Grow(dst, 2*(len(header)+len(payload)+fcsSize)+2) // every octet may need two
	if len(dst) == 0 || dst[len(dst)-1] != flag {
		dst = append(dst, flag)
	}
	fcs := ^updateFCS(updateFCS(fcsInit, header), payload)
	trailer := [fcsSize]byte{byte(fcs), byte(fcs >> 8)}
	dst = appendEscaped(dst, accm, header)
	if accm == 0 {
		dst = appendTransparent(dst, payload)
	} else {
		dst = appendEscaped(dst, accm, payload)
	}
	dst = appendEscaped(dst, accm, trailer[:])
	return append(dst, flag)
}

// appendTransparent is appendEscaped for ACCM 0, the map of every link that is 8-bit clean: it copies the runs between the octets to escape.
// Flag and escape are searched for one by one, since the search for one octet is the processor's fastest.
func appendTransparent(dst, p []byte) []byte {
	nextFlag, nextEscape := search(p, 0, flag), search(p, 0, escape)
	for from := 0; ; {
		at := min(nextFlag, nextEscape)
		dst = append(dst, p[from:at]...)
		if at == len(p) {
			return dst
		}
		dst = append(dst, escape, p[at]^toggle)
		from = at + 1
		if at == nextFlag {
			nextFlag = search(p, from, flag)
		} else {
			nextEscape = search(p, from, escape)
		}
	}
}

// search is where b comes next in p, at from or later; len(p) if nowhere.
func search(p []byte, from int, b byte) int {
	if n := bytes.IndexByte(p[from:], b); n >= 0 {
		return from + n
	}
	return len(p)
}

// appendEscaped escapes octet by octet, under any map.
func appendEscaped(dst []byte, accm uint32, p []byte) []byte {
	for _, b := range p {
		if b == flag || b == escape || inACCM(accm, b) {
			dst = append(dst, escape, b^toggle)
			continue
		}
		dst = append(dst, b)
	}
	return dst
}
