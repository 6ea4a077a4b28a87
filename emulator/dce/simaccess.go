package dce

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
)

// restrictedSIM is +CRSM=<command>[,<fileid>[,<P1>,<P2>,<P3>[,<data>]]] (TS 27.007 section 8.18).
func restrictedSIM(x *exchange, a args) result {
	command, ok1 := a.number(0, -1, 0, 255)
	file, ok2 := a.number(1, 0, 0, 0xffff)
	p1, ok3 := a.number(2, 0, 0, 255)
	p2, ok4 := a.number(3, 0, 0, 255)
	p3, ok5 := a.number(4, 0, 0, 255)
	data, err := hex.DecodeString(a.str(5))
	if !ok1 || !ok2 || !ok3 || !ok4 || !ok5 || err != nil || len(a) > 7 {
		return cmeError(cmeIncorrectParams)
	}
	x.m.mu.Lock()
	defer x.m.mu.Unlock()
	var answer []byte
	var sw status
	switch command {
	case 176, 178, 192, 214, 220:
		answer, sw = x.m.instructionLocked(command, file, p1, p2, p3, data)
	case 242:
		sw = swOK
	default:
		return cmeError(cmeNotSupported)
	}
	x.info(fmt.Sprintf(`+CRSM: %d,%d,"%X"`, sw>>8, sw&0xff, answer))
	return resultOK
}

// genericSIM is +CSIM=<length>,<command> (section 8.17): the card's own commands.
func genericSIM(x *exchange, a args) result {
	length, err := strconv.Atoi(a.str(0))
	apdu, herr := hex.DecodeString(a.str(1))
	if err != nil || herr != nil || len(a) != 2 || length != len(a.str(1)) || len(apdu) < 4 {
		return cmeError(cmeIncorrectParams)
	}
	x.m.mu.Lock()
	defer x.m.mu.Unlock()
	answer, sw := x.m.apduLocked(apdu)
	text := strings.ToUpper(hex.EncodeToString(answer)) + fmt.Sprintf("%04X", uint16(sw))
	x.info(fmt.Sprintf(`+CSIM: %d,"%s"`, len(text), text))
	return resultOK
}

// apduLocked carries out a command of the card (ETSI TS 102 221 section 11). The logical channel is not looked at. The card is a UICC
// with a USIM alone: class A0, that of a SIM (TS 51.011 section 9.2), is unknown to it.
func (m *Modem) apduLocked(b []byte) ([]byte, status) {
	if cla := b[0]; cla&0xf0 != 0x00 && cla&0xf0 != 0x80 {
		return nil, swNoClass
	}
	ins, p1, p2 := int(b[1]), int(b[2]), int(b[3])
	length := 0
	var data []byte
	if len(b) > 4 {
		length, data = int(b[4]), b[5:]
	}
	if len(data) > 0 || carriesData(ins) { // the length is that of the data; an expected length may follow
		if len(data) != length && len(data) != length+1 {
			return nil, swWrongLength
		}
		data = data[:length]
	}
	sim := &m.sim
	switch ins {
	case 0x20, 0x24, 0x26, 0x28, 0x2c:
		return nil, sim.pinCommand(ins, p2, data)
	case 0x70: // MANAGE CHANNEL
		if p1 == 0 {
			return []byte{1}, swOK
		}
		return nil, swOK
	case 0xa4:
		return nil, m.selectLocked(p1, p2, data)
	case 0xc0:
		if sim.answer == nil {
			return nil, swNotPossible
		}
		answer := sim.answer
		sim.answer = nil
		return answer[:min(len(answer), max(length, 1))], swOK
	case 0xf2:
		return nil, swOK
	case 0xb0, 0xb2, 0xd6, 0xdc:
		return m.instructionLocked(ins, sim.selected, p1, p2, length, data)
	}
	return nil, swNoCommand
}

// carriesData tells that a command has data (cases 3 and 4 of ISO/IEC 7816-3): what comes fifth in others is the length of the answer.
func carriesData(ins int) bool {
	switch ins {
	case 0x20, 0x24, 0x26, 0x28, 0x2c, 0xa4, 0xd6, 0xdc:
		return true
	}
	return false
}

// selectLocked is SELECT, by file (P1 0), by path (8, 9) or by application (4). Unless P2 asks for nothing, GET RESPONSE tells of it.
func (m *Modem) selectLocked(p1, p2 int, data []byte) status {
	sim := &m.sim
	sim.answer = nil
	if len(data) < 2 {
		return swWrongLength
	}
	id := int(data[len(data)-2])<<8 | int(data[len(data)-1])
	directory := p1 == 4 || id == 0x3f00 || id == 0x7fff || id == 0x7f10 || id == 0x7f20
	content, f, ok := m.fileLocked(id)
	switch {
	case directory:
		sim.answer = []byte{0x62, 0x06, 0x82, 0x02, 0x78, 0x21, 0x8a, 0x01, 0x05}
		sim.answer[1] = byte(len(sim.answer) - 2)
		sim.selected = 0
	case !ok:
		return swNoFile
	default:
		sim.selected = id
		sim.answer = fileParameters(id, f, len(content))
	}
	if p2&0x0c == 0x0c {
		sim.answer = nil
		return swOK
	}
	return 0x6100 | status(len(sim.answer))
}

// pinCommand is VERIFY, CHANGE, DISABLE, ENABLE and UNBLOCK PIN, of the PIN or of PIN2. Without data VERIFY and UNBLOCK tell the tries left.
func (s *simState) pinCommand(ins, reference int, data []byte) status {
	pin, badPIN, badPUK, verify, unblock := &s.card.PIN, &s.badPIN, &s.badPUK, s.verify, s.unblock
	second := reference == 0x81
	switch {
	case second:
		pin, badPIN, badPUK, verify, unblock = &s.card.PIN2, &s.second.badPIN, &s.second.badPUK, s.verify2, s.unblock2
	case reference != 0x01:
		return swNoReference
	}
	want := 8
	if ins == 0x24 || ins == 0x2c { // the old one or the PUK, and the new one
		want = 16
	}
	if len(data) > 0 && len(data) != want {
		return swWrongLength
	}
	text := func(from int) string {
		pin, _, _ := bytes.Cut(data[from:from+8], []byte{0xff})
		return string(pin)
	}
	switch {
	case len(data) > 0 && (ins == 0x24 || ins == 0x28 || ins == 0x2c) && !pinLike(text(want-8)):
		return swWrongData // the PIN that is set
	case len(data) == 0 && ins == 0x2c:
		return left(pukTries, *badPUK)
	case len(data) == 0:
		return left(pinTries, *badPIN)
	case ins == 0x2c:
		if *badPUK >= pukTries {
			return swBlocked
		}
		if unblock(text(0), text(8)).ok() {
			return swOK
		}
		return left(pukTries, *badPUK)
	case *badPIN >= pinTries:
		return swBlocked
	case second && ins != 0x20 && ins != 0x24:
		return swNotPossible // it is always on
	case !second && s.enabled == (ins == 0x28): // ENABLE is for one that is disabled, and nothing else is
		return swInvalidated
	case !verify(text(0)).ok():
		return left(pinTries, *badPIN)
	}
	switch ins {
	case 0x24:
		*pin = text(8)
	case 0x26, 0x28:
		s.enabled = ins == 0x28
	}
	return swOK
}

// left is 63CX, or blocked.
func left(tries, bad int) status {
	if bad >= tries {
		return swBlocked
	}
	return 0x63c0 | status(tries-bad)
}
