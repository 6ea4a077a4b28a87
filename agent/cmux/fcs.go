package cmux

// fcsTable is the CRC-8 with the polynomial x^8+x^2+x+1, reversed (section 5.2.1.6 and annex B).
var fcsTable = func() (t [256]byte) {
	for i := range t {
		c := byte(i)
		for range 8 {
			if c&1 != 0 {
				c = c>>1 ^ 0xe0
			} else {
				c >>= 1
			}
		}
		t[i] = c
	}
	return t
}()

const fcsInit = 0xff

func updateFCS(fcs byte, p []byte) byte {
	for _, b := range p {
		fcs = fcsTable[fcs^b]
	}
	return fcs
}
