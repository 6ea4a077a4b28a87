package dce

import (
	"encoding/hex"
	"fmt"
	"strings"

	"minato/emulator/sms"
)

// simFile is an elementary file of the card (TS 31.102 section 4, ETSI TS 102 221 section 13).
type simFile struct {
	record  int // length of a record; 0: a transparent file
	write   bool
	open    bool                  // readable before the PIN
	content func(m *Modem) string // hexadecimal; called with Modem.mu held
}

// simFiles are those that programs look at.
var simFiles = map[int]simFile{
	0x2f00: {open: true, record: 32, content: func(*Modem) string { return pad("61184F10A0000000871002FF81FFFF89FFFFFFFF50045553494D", 32) }}, // EF_DIR: the USIM application
	0x2f05: {open: true, content: func(*Modem) string { return "6A61656EFFFF" }},                                                              // EF_PL: ja, en
	0x2fe2: {open: true, content: func(m *Modem) string { return swapped(m.sim.card.ICCID, 20) }},                                             // EF_ICCID
	0x6f05: {open: true, write: true, content: func(*Modem) string { return "6A61656E" }},                                                     // EF_LI
	0x6f07: {content: imsiFile},                                                                                                               // EF_IMSI
	0x6f31: {content: func(*Modem) string { return "05" }},                                                                                    // EF_HPPLMN: search every half hour
	0x6f38: {content: func(*Modem) string { return "9E6B1DFC67F6580000" }},                                                                    // EF_UST
	0x6f3a: {record: entryRecord, write: true, content: func(*Modem) string { return pad("", phonebookSize*entryRecord) }},                    // EF_ADN
	0x6f3e: {content: func(*Modem) string { return pad("", 2) }},                                                                              // EF_GID1
	0x6f3f: {content: func(*Modem) string { return pad("", 2) }},                                                                              // EF_GID2
	0x6f40: {record: entryRecord, write: true, content: msisdnFile},                                                                           // EF_MSISDN
	0x6f46: {content: spnFile},                                                                                                                // EF_SPN
	0x6f60: {write: true, content: func(*Modem) string { return pad("", 40) }},                                                                // EF_PLMNwAcT
	0x6f61: {content: func(*Modem) string { return pad("", 40) }},                                                                             // EF_OPLMNwAcT
	0x6f62: {content: homeFile},                                                                                                               // EF_HPLMNwAcT
	0x6f78: {content: func(*Modem) string { return "0001" }},                                                                                  // EF_ACC
	0x6f7b: {write: true, content: func(*Modem) string { return pad("", 12) }},                                                                // EF_FPLMN
	0x6f7e: {write: true, content: func(*Modem) string { return pad("", 10) + "01" }},                                                         // EF_LOCI
	0x6fad: {open: true, content: func(m *Modem) string { return fmt.Sprintf("000000%02X", len(m.homeLocked())-3) }},                          // EF_AD: how long the MNC in the IMSI is
	0x6fb7: {open: true, record: 20, content: func(*Modem) string { return pad("11F2FF", 20) }},                                               // EF_ECC: 112
	0x6fe3: {write: true, content: func(*Modem) string { return pad("", 17) + "01" }},                                                         // EF_EPSLOCI
}

// pad fills up to n octets with FF.
func pad(s string, n int) string { return s + strings.Repeat("F", max(0, 2*n-len(s))) }

func imsiFile(m *Modem) string {
	imsi := m.sim.card.IMSI
	n := (len(imsi) + 2) / 2
	parity := "1" // even number of digits (TS 24.008 section 10.5.1.4)
	if len(imsi)%2 == 1 {
		parity = "9"
	}
	return pad(fmt.Sprintf("%02X", n)+swapped(parity+imsi, 2*n), 9)
}

// spnFile has no name unless the card says one; it is always to be displayed.
func spnFile(m *Modem) string {
	name, _ := sms.EncodeGSM(m.sim.card.SPN) // SIMCard.validate has seen it
	return pad("01"+strings.ToUpper(hex.EncodeToString(name)), 1+nameOctets)
}

func msisdnFile(m *Modem) string {
	number := strings.TrimPrefix(m.sim.card.MSISDN, "+")
	if number == "" {
		return pad("", 28)
	}
	n := (len(number) + 1) / 2
	return pad("", 14) + fmt.Sprintf("%02X91", n+1) + pad(swapped(number, 2*n), 12)
}

// homeFile is the home network with E-UTRAN.
func homeFile(m *Modem) string {
	p := m.homeLocked()
	third := "F"
	if len(p) == 6 {
		third = p[5:6]
	}
	return pad(p[1:2]+p[0:1]+third+p[2:3]+p[4:5]+p[3:4]+"4000", 20)
}

// fileLocked gives a file's octets; what was written to it wins.
func (m *Modem) fileLocked(id int) ([]byte, simFile, bool) {
	f, ok := simFiles[id]
	if !ok {
		return nil, f, false
	}
	if b, written := m.sim.files[id]; written {
		return b, f, true
	}
	b, err := hex.DecodeString(f.content(m))
	return b, f, err == nil
}

// status is what a card ends its answers with.
type status uint16

const (
	swOK           status = 0x9000
	swWrongLength  status = 0x6700
	swIncompatible status = 0x6981
	swSecurity     status = 0x6982
	swBlocked      status = 0x6983
	swInvalidated  status = 0x6984
	swNotPossible  status = 0x6985
	swWrongData    status = 0x6a80
	swNoFile       status = 0x6a82
	swNoRecord     status = 0x6a83
	swBadP1P2      status = 0x6b00
	swNoReference  status = 0x6a88
	swNoCommand    status = 0x6d00
	swNoClass      status = 0x6e00
)

// instruction carries out one on a file: READ and UPDATE, BINARY and RECORD, and GET RESPONSE, which tells of the file.
func (m *Modem) instructionLocked(ins, id, p1, p2, length int, data []byte) ([]byte, status) {
	content, f, ok := m.fileLocked(id)
	switch {
	case !ok:
		return nil, swNoFile
	case !f.open && !m.sim.ready():
		return nil, swSecurity
	}
	switch ins {
	case 0xc0, 0xf2:
		return fileParameters(id, f, len(content)), swOK
	case 0xb0, 0xd6:
		if f.record > 0 {
			return nil, swIncompatible
		}
		at := p1<<8 | p2
		return m.accessLocked(id, content, at, len(content)-at, ins == 0xd6, f, length, data)
	case 0xb2, 0xdc:
		if f.record == 0 {
			return nil, swIncompatible
		}
		if p1 < 1 || p1*f.record > len(content) {
			return nil, swNoRecord
		}
		return m.accessLocked(id, content, (p1-1)*f.record, f.record, ins == 0xdc, f, length, data)
	}
	return nil, swNoCommand
}

// accessLocked reads or writes a stretch of a file of which room octets can be had.
func (m *Modem) accessLocked(id int, content []byte, at, room int, write bool, f simFile, length int, data []byte) ([]byte, status) {
	switch {
	case at < 0 || room <= 0:
		return nil, swBadP1P2
	case write && !f.write:
		return nil, swSecurity
	case write && (len(data) != length || len(data) == 0 || len(data) > room || f.record > 0 && len(data) != f.record):
		return nil, swWrongLength // a record is written as a whole (ETSI TS 102 221 section 11.1.6)
	case write:
		next := append([]byte(nil), content...)
		copy(next[at:], data)
		if m.sim.files == nil {
			m.sim.files = map[int][]byte{}
		}
		m.sim.files[id] = next
		return nil, swOK
	case length == 0:
		length = min(room, 256)
	case length > room:
		return nil, 0x6c00 | status(min(room, 255)) // wrong length, the right one is this
	}
	return content[at : at+length], swOK
}

// fileParameters is the FCP template (ETSI TS 102 221 section 11.1.1.3), as short as programs need it.
func fileParameters(id int, f simFile, size int) []byte {
	body := []byte{0x82, 0x02, 0x41, 0x21}
	if f.record > 0 {
		body = []byte{0x82, 0x05, 0x42, 0x21, 0x00, byte(f.record), byte(size / f.record)}
	}
	body = append(body, 0x83, 0x02, byte(id>>8), byte(id), 0x8a, 0x01, 0x05, 0x80, 0x02, byte(size>>8), byte(size))
	return append([]byte{0x62, byte(len(body))}, body...)
}
