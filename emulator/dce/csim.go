package dce

import (
	"encoding/hex"
	"fmt"
)

// APDU instructions and keys of ETSI TS 102 221 (sections 10.1.2 and 9.5.1).
const (
	insVerify  = 0x20
	insUnblock = 0x2c
	keyPIN1    = 0x01 // of the application
	keyPIN2    = 0x81 // local
)

// genericSIM is +CSIM (TS 27.007 section 8.17): an APDU for the card. This card knows VERIFY PIN and UNBLOCK PIN without data, which
// change nothing and tell how many tries are left (ETSI TS 102 221 sections 11.1.9 and 11.1.13).
func genericSIM(x *exchange, a args) result {
	length, ok := a.number(0, -1, 0, 2*261) // the longest short APDU: header, Lc, 255 bytes, Le
	apdu, err := hex.DecodeString(a.str(1))
	if !ok || err != nil || len(a) != 2 || length != len(a.str(1)) || len(apdu) < 4 {
		return cmeError(cmeIncorrectParams)
	}
	x.m.mu.Lock()
	defer x.m.mu.Unlock()
	x.info(fmt.Sprintf(`+CSIM: 4,"%04X"`, x.m.sim.answer(apdu)))
	return resultOK
}

// answer is the status word of an APDU.
func (s *simState) answer(apdu []byte) uint16 {
	instruction, key := apdu[1], apdu[3]
	var left int
	switch {
	case apdu[0] != 0:
		return 0x6e00 // class not supported
	case instruction != insVerify && instruction != insUnblock:
		return 0x6d00 // instruction not supported
	case len(apdu) > 5 || len(apdu) == 5 && apdu[4] != 0:
		return 0x6d00 // with data it would be +CPIN
	case key == keyPIN1 && instruction == insVerify:
		left = pinTries - s.badPIN
	case key == keyPIN1:
		left = pukTries - s.badPUK
	case key == keyPIN2 && instruction == insVerify:
		left = pinTries
	case key == keyPIN2:
		left = pukTries
	default:
		return 0x6a88 // referenced data not found
	}
	if left <= 0 {
		return 0x6983 // blocked
	}
	return 0x63c0 | uint16(left)
}
