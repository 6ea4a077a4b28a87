package hdlc

const (
	fcsInit = 0xffff // RFC 1662 appendix C.2, PPPINITFCS16
	fcsGood = 0xf0b8 // PPPGOODFCS16: what the FCS of a frame comes to when its own FCS is included
	fcsPoly = 0x8408 // x**0 + x**5 + x**12 + x**16, least significant bit first
	fcsSize = 2
)

// fcsTables[k][b] is the FCS contribution of octet b followed by k zero octets. Sixteen of them let sixteen octets be folded in one
// step. Only two lookups of a step depend on the step before: they come last, so that the processor overlaps the others.
var fcsTables = makeFCSTables()

func makeFCSTables() *[16][256]uint16 {
	var t [16][256]uint16
	for b := range 256 {
		v := uint16(b)
		for range 8 {
			v = v>>1 ^ fcsPoly*(v&1)
		}
		t[0][b] = v
	}
	for k := 1; k < len(t); k++ {
		for b := range 256 {
			v := t[k-1][b]
			t[k][b] = v>>8 ^ t[0][byte(v)]
		}
	}
	return &t
}

// updateFCS extends the FCS-16 (RFC 1662 appendix C) over p.
func updateFCS(fcs uint16, p []byte) uint16 {
	if len(p) >= 2*foldSize {
		fcs, p = foldFCS(fcs, p)
	}
	return stepFCS(fcs, p)
}

// stepFCS is updateFCS by the tables alone.
func stepFCS(fcs uint16, p []byte) uint16 {
	t := fcsTables
	for len(p) >= 16 {
		x, y := word(p), word(p[8:])
		rest := t[13][byte(x>>16)] ^ t[12][byte(x>>24)] ^
			t[11][byte(x>>32)] ^ t[10][byte(x>>40)] ^ t[9][byte(x>>48)] ^ t[8][byte(x>>56)] ^
			t[7][byte(y)] ^ t[6][byte(y>>8)] ^ t[5][byte(y>>16)] ^ t[4][byte(y>>24)] ^
			t[3][byte(y>>32)] ^ t[2][byte(y>>40)] ^ t[1][byte(y>>48)] ^ t[0][byte(y>>56)]
		fcs ^= uint16(x)
		fcs = rest ^ t[15][byte(fcs)] ^ t[14][byte(fcs>>8)]
		p = p[16:]
	}
	for _, b := range p {
		fcs = fcs>>8 ^ t[0][byte(fcs)^b]
	}
	return fcs
}
