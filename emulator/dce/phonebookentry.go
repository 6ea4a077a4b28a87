package dce

import (
	"bytes"
	"strings"

	"minato/emulator/sms"
)

// entry is one of a phonebook. It is kept as the card's files have it (EF_ADN, TS 31.102 section 4.4.2.3; EF_MSISDN is the same):
//
//	text, in 14 octets | octets of number and type | type | number, in 10 octets of BCD | capability, extension: FF
//
// What is free is FF.
type entry struct {
	number string // with a plus sign when it is international
	kind   int    // type of address; 0: there is no number
	text   string
}

const (
	entryText   = 14 // octets
	entryDigits = 20
	entryRecord = entryText + 2 + entryDigits/2 + 2
)

// entryDigit are the values of BCD in a number (table 4.4); p is the pause.
const entryDigit = "0123456789*#p"

// record is the entry in a file, or the number of the +CME ERROR that says why it cannot be.
func (e entry) record() (record []byte, wrong int) {
	record = bytes.Repeat([]byte{0xff}, entryRecord)
	text, err := sms.EncodeGSM(e.text)
	if err != nil { // TS 102 221 annex A: 80 says that UCS2 follows
		text = append([]byte{0x80}, sms.EncodeUCS2(e.text)...)
	}
	if len(text) > entryText {
		return nil, cmeTextTooLong
	}
	copy(record, text)
	number := strings.TrimPrefix(e.number, "+")
	if len(number) > entryDigits {
		return nil, cmeNumberTooLong
	}
	if number == "" {
		return record, 0
	}
	record[entryText], record[entryText+1] = byte(1+(len(number)+1)/2), byte(e.kind)
	for i, c := range []byte(number) {
		digit := strings.IndexByte(entryDigit, c)
		if digit < 0 {
			return nil, cmeInvalidNumber
		}
		at := &record[entryText+2+i/2]
		if i%2 == 0 {
			*at = 0xf0 | byte(digit)
		} else {
			*at = *at&0x0f | byte(digit)<<4
		}
	}
	return record, 0
}

// parseEntry reads a record of entryRecord octets, whoever wrote it.
func parseEntry(record []byte) (e entry) {
	if len(record) != entryRecord {
		return e
	}
	if text := record[:entryText]; text[0] == 0x80 {
		end := 1
		for end+2 <= len(text) && (text[end] != 0xff || text[end+1] != 0xff) {
			end += 2
		}
		e.text, _ = sms.DecodeUCS2(text[1:end]) // whole characters
	} else {
		e.text = sms.DecodeGSM(bytes.TrimRight(text, "\xff"))
	}
	length := int(record[entryText])
	if length < 2 || length > 1+entryDigits/2 {
		if e.text != "" {
			e.kind = 129
		}
		return e
	}
	e.kind = int(record[entryText+1])
	if e.kind&0x70 == 0x10 {
		e.number = "+"
	}
	for _, b := range record[entryText+2:][:length-1] {
		for _, digit := range []byte{b & 0x0f, b >> 4} {
			if int(digit) < len(entryDigit) {
				e.number += entryDigit[digit : digit+1]
			}
		}
	}
	return e
}
