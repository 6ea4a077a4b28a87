package dce

import (
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"minato/emulator/sms"
)

// charsetLocked is +CSCS: GSM, IRA or UCS2. Modem.mu is held.
func (m *Modem) charsetLocked() string {
	if set := strings.Trim(m.values["+CSCS"], `"`); set != "" {
		return set
	}
	return "GSM"
}

// fromTE gives the text that a user wrote in a character set.
func fromTE(charset string, b []byte) (string, bool) {
	if charset == "UCS2" {
		units, err := hex.DecodeString(string(b))
		if err != nil {
			return "", false
		}
		text, err := sms.DecodeUCS2(units)
		return text, err == nil
	}
	for _, c := range b {
		if c > 127 {
			return "", false
		}
	}
	if charset == "GSM" {
		return sms.DecodeGSM(b), true
	}
	return string(b), true
}

// toTE gives a text as a user reads it; what a character set lacks becomes a question mark.
func toTE(charset, text string) string {
	if charset == "UCS2" {
		return strings.ToUpper(hex.EncodeToString(sms.EncodeUCS2(text)))
	}
	var b strings.Builder
	for _, r := range text {
		switch septets, err := sms.EncodeGSM(string(r)); {
		case charset == "GSM" && err == nil:
			b.Write(septets)
		case charset != "GSM" && r < 128:
			b.WriteRune(r)
		default:
			b.WriteByte('?')
		}
	}
	return b.String()
}

// quoted is a string constant in the user's character set. Modem.mu is held.
func (x *exchange) quoted(text string) string {
	return `"` + toTE(x.m.charsetLocked(), text) + `"`
}

// address reads an address at parameter i, and its type at the one after it. Modem.mu is held.
func (x *exchange) address(a args, i int) (sms.Address, bool) {
	text, ok := fromTE(x.m.charsetLocked(), []byte(a.str(i)))
	if !ok {
		return sms.Address{}, false
	}
	to, err := sms.ParseAddress(text)
	if err != nil {
		return sms.Address{}, false
	}
	kind, ok := a.number(i+1, int(to.Type), 128, 255)
	if kind&0x70 == 0x50 { // alphanumeric: nothing a mobile can send to
		return sms.Address{}, false
	}
	to.Type = byte(kind)
	return to, ok
}

// showTime is a time string of TS 27.005 section 3.1: yy/MM/dd,hh:mm:ss and the zone in quarters of an hour.
func showTime(t time.Time) string {
	_, offset := t.Zone()
	return fmt.Sprintf(`"%s%+03d"`, t.Format("06/01/02,15:04:05"), offset/(15*60))
}

func parseTime(s string) (time.Time, bool) {
	var zone int
	if len(s) != len("06/01/02,15:04:05+00") {
		return time.Time{}, false
	}
	if n, err := fmt.Sscanf(s[17:], "%d", &zone); n != 1 || err != nil || zone < -56 || zone > 56 || s[17] != '+' && s[17] != '-' {
		return time.Time{}, false
	}
	t, err := time.ParseInLocation("06/01/02,15:04:05", s[:17], time.FixedZone("", zone*15*60))
	return t, err == nil && t.Year() >= 2000
}
