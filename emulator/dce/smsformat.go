package dce

import (
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"minato/emulator/sms"
)

// statusText are the values of <stat> in text mode, in the order of those in PDU mode.
var statusText = []string{"REC UNREAD", "REC READ", "STO UNSENT", "STO SENT"}

const allStatuses = "ALL"

// showMessage gives the lines of +CMGR, or of +CMGL when index is not negative. Modem.mu is held.
func (x *exchange) showMessage(index int, msg *sms.Message) []string {
	g := &x.m.messages
	head := "+CMGR: "
	if index >= 0 {
		head = fmt.Sprintf("+CMGL: %d,", index)
	}
	if !g.text {
		return []string{fmt.Sprintf("%s%d,,%d", head, msg.Status, len(msg.TPDU)), showPDU(msg.Centre, msg.TPDU)}
	}
	head += strconv.Quote(statusText[msg.Status]) + ","
	t, err := msg.Parse()
	if err != nil { // what is stored was parsed before
		return []string{head}
	}
	return showText(x.m.charsetLocked(), head, x.m.personality.sms().Alpha.Value, g.details, index >= 0, msg.Centre, t)
}

// showPDU is <pdu>: service centre address and TPDU in hexadecimal.
func showPDU(centre sms.Address, tpdu []byte) string {
	return strings.ToUpper(hex.EncodeToString(append(sms.AppendCentre(nil, centre), tpdu...)))
}

// showText gives the lines of a message in text mode (TS 27.005 sections 3.4.1, 3.4.2, 3.4.3); alpha is the name of who sent it, list is
// for +CMGL, which shows less.
func showText(charset, head, alpha string, details, list bool, centre sms.Address, t sms.TPDU) []string {
	quote := func(a sms.Address) string { return `"` + toTE(charset, a.String()) + `"` }
	var kind, dcs byte
	var u sms.UserData
	switch t := t.(type) {
	case *sms.StatusReport:
		return []string{head + showReport(charset, t)}
	case *sms.Deliver:
		head += quote(t.Origin) + "," + alpha + "," + showTime(t.Time)
		kind, dcs, u = t.Origin.Type, t.DCS, t.UserData
		if details && !list {
			head += fmt.Sprintf(",%d,%d,%d,%d,%s,%d", kind, t.FirstOctet(), t.PID, dcs, quote(centre), typeOf(centre))
		}
	case *sms.Submit:
		head += quote(t.Destination) + ","
		if list {
			head += ","
		}
		kind, dcs, u = typeOf(t.Destination), t.DCS, t.UserData
		if details && !list {
			head += fmt.Sprintf(",%d,%d,%d,%d,%s,%s,%d", kind, t.FirstOctet(), t.PID, dcs, showValidity(t.Validity), quote(centre), typeOf(centre))
		}
	}
	length, data := showData(charset, dcs, u)
	if details {
		if list {
			head += fmt.Sprintf(",%d", kind)
		}
		head += fmt.Sprintf(",%d", length)
	}
	return []string{head, data}
}

// typeOf is the type of an address in text mode, which shows one for an address that is none, too.
func typeOf(a sms.Address) byte {
	if a == (sms.Address{}) {
		return sms.TypeUnknown
	}
	return a.Type
}

// showReport is a status report in text mode, without its command.
func showReport(charset string, t *sms.StatusReport) string {
	return fmt.Sprintf(`%d,%d,"%s",%d,%s,%s,%d`, t.FirstOctet(), t.Reference, toTE(charset, t.Recipient.String()),
		typeOf(t.Recipient), showTime(t.Time), showTime(t.Discharge), t.Status)
}

// showData is <data>: text in the user's character set, or octets in hexadecimal when it is no text of the default alphabet or has
// a header.
func showData(charset string, dcs byte, u sms.UserData) (length byte, data string) {
	length, octets, err := u.Encode(dcs)
	if err != nil { // what is stored was parsed before
		return 0, ""
	}
	if a, _ := sms.Coding(dcs); a != sms.GSM7 || u.Header != nil {
		return length, strings.ToUpper(hex.EncodeToString(octets))
	}
	if charset == "GSM" {
		return length, string(u.Data)
	}
	return length, toTE(charset, sms.DecodeGSM(u.Data))
}

// showValidity is <vp>; nothing for a message without one.
func showValidity(v sms.Validity) string {
	switch v.Format {
	case sms.RelativeValidity:
		return strconv.Itoa(int(v.Relative))
	case sms.AbsoluteValidity:
		return showTime(v.Absolute)
	case sms.EnhancedValidity:
		return strings.ToUpper(hex.EncodeToString(v.Enhanced[:]))
	}
	return ""
}
