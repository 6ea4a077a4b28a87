package cmux

import (
	"encoding/binary"
	"time"
)

// parametersSize is the length of PN's value (section 5.4.6.3.1).
const parametersSize = 8

// parameters is what PN agrees on for a channel before it is opened. What is not here is for the error recovery mode, which the
// basic option does not use, or for the scheduling of priorities.
type parameters struct {
	dlci byte
	n1   int
}

// appendParameters writes PN's value: DLCI; frame type 0 (UIH) and convergence layer 1; priority; T1 in 10 ms; N1, low octet
// first; N2; window.
func appendParameters(dst []byte, p parameters, t1 time.Duration, n2 int) []byte {
	priority := byte(p.dlci | 7) // the default of its group of eight (section 5.6)
	if p.dlci >= 56 {
		priority = MaxDLCI
	}
	hundredths := byte(min(t1/(10*time.Millisecond), 0xff))
	dst = append(dst, p.dlci, 0, priority, hundredths)
	dst = binary.LittleEndian.AppendUint16(dst, uint16(p.n1))
	return append(dst, byte(min(n2, 0xff)), 0)
}

func parseParameters(v []byte) (parameters, bool) {
	if len(v) != parametersSize {
		return parameters{}, false
	}
	p := parameters{dlci: v[0] & 0x3f, n1: int(binary.LittleEndian.Uint16(v[4:]))}
	return p, p.n1 > 0
}
