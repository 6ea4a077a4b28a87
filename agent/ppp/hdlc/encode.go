package hdlc

import (
	"encoding/binary"
	"math/bits"
	"slices"
)

// AppendFrame appends one frame to dst: header and payload (which together are what the FCS covers), the FCS, and the flags around
// them. The header is the caller's address, control and protocol fields, compressed or not; it is apart from the payload so that a
// packet need not be copied to get one. Octets below 0x20 whose bit is set in accm are escaped besides flag and escape.
//
// When dst ends in a flag, that flag also opens this frame (RFC 1662 section 3.1), so a batch shares its flags.
func AppendFrame(dst []byte, accm uint32, header, payload []byte) []byte {
	// Every octet may need two, and the escaper stores whole words.
	dst = slices.Grow(dst, 2*(len(header)+len(payload)+fcsSize)+2+wordSize)
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

// appendTransparent is appendEscaped for ACCM 0, the map of every link that is 8-bit clean. It stores each word before it looks
// for an octet to escape in it, which is cheaper than finding runs first and copying them afterwards.
// dst must have room for 2*len(p)+wordSize octets more.
func appendTransparent(dst, p []byte) []byte {
	n := len(dst)
	out := dst[:cap(dst)]
	for len(p) >= wordSize {
		w := binary.LittleEndian.Uint64(p)
		binary.LittleEndian.PutUint64(out[n:], w)
		found := octetsEqual(w, flags) | octetsEqual(w, escapes)
		if found == 0 {
			p = p[wordSize:]
			n += wordSize
			continue
		}
		k := bits.TrailingZeros64(found) / 8
		n += k
		out[n], out[n+1] = escape, p[k]^toggle
		n += 2
		p = p[k+1:]
	}
	for _, b := range p {
		if b == flag || b == escape {
			out[n], out[n+1] = escape, b^toggle
			n += 2
			continue
		}
		out[n] = b
		n++
	}
	return out[:n]
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
