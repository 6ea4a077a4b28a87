package sms

// packSeptets puts septets into octets, the first in the low bits, behind fill bits of zero (TS 23.038 section 6.1.2.1,
// TS 23.040 section 9.2.3.24).
func packSeptets(septets []byte, fill int) []byte {
	out := make([]byte, (fill+7*len(septets)+7)/8)
	for i, s := range septets {
		bit := fill + 7*i
		v := uint16(s&0x7f) << (bit % 8)
		out[bit/8] |= byte(v)
		if v > 0xff {
			out[bit/8+1] |= byte(v >> 8)
		}
	}
	return out
}

// unpackSeptets takes n septets out of octets, behind fill bits. The caller has seen to it that there are enough.
func unpackSeptets(b []byte, n, fill int) []byte {
	out := make([]byte, n)
	for i := range out {
		bit := fill + 7*i
		v := uint16(b[bit/8])
		if bit%8 > 1 {
			v |= uint16(b[bit/8+1]) << 8
		}
		out[i] = byte(v>>(bit%8)) & 0x7f
	}
	return out
}
