package hdlc

import "encoding/binary"

const (
	wordSize = 8
	foldSize = 16 * wordSize // the block of foldFCS
)

// foldFCS extends the FCS over all of p but its end, which it returns. p has two blocks at least. It needs no table and takes a word at a time.
//
// Over GF(2) a sum is squared by squaring its terms. The 64th power of the generator x**16 + x**12 + x**5 + 1 is therefore
// x**1024 + x**768 + x**320 + 1, and as a multiple of the generator it leaves every remainder as it is. So a word of 64 bits counts as much
// as the same word would 4, 11 and 16 words later (1024-768, 1024-320 and 1024 bits). Each word is carried forward so, until what is left is
// short enough for the tables.
func foldFCS(fcs uint16, p []byte) (uint16, []byte) {
	w := [16]uint64{uint64(fcs)} // the block before, with what was carried to it; now the FCS itself, which joins the first word
	for ; len(p) >= 2*foldSize; p = p[foldSize:] {
		b := p[:foldSize]
		w[0] ^= word(b) ^ w[12] ^ w[5]
		w[1] ^= word(b[8:]) ^ w[13] ^ w[6]
		w[2] ^= word(b[16:]) ^ w[14] ^ w[7]
		w[3] ^= word(b[24:]) ^ w[15] ^ w[8]
		w[4] ^= word(b[32:]) ^ w[0] ^ w[9]
		w[5] ^= word(b[40:]) ^ w[1] ^ w[10]
		w[6] ^= word(b[48:]) ^ w[2] ^ w[11]
		w[7] ^= word(b[56:]) ^ w[3] ^ w[12]
		w[8] ^= word(b[64:]) ^ w[4] ^ w[13]
		w[9] ^= word(b[72:]) ^ w[5] ^ w[14]
		w[10] ^= word(b[80:]) ^ w[6] ^ w[15]
		w[11] ^= word(b[88:]) ^ w[7] ^ w[0]
		w[12] ^= word(b[96:]) ^ w[8] ^ w[1]
		w[13] ^= word(b[104:]) ^ w[9] ^ w[2]
		w[14] ^= word(b[112:]) ^ w[10] ^ w[3]
		w[15] ^= word(b[120:]) ^ w[11] ^ w[4]
	}
	var last [foldSize]byte // the block after, with what is carried to it alone
	for i := range w {
		v := word(p[i*wordSize:]) ^ w[i]
		if i < 4 {
			v ^= w[i+12]
		}
		if i < 11 {
			v ^= w[i+5]
		}
		binary.LittleEndian.PutUint64(last[i*wordSize:], v)
	}
	return stepFCS(0, last[:]), p[foldSize:]
}

func word(b []byte) uint64 { return binary.LittleEndian.Uint64(b) }
