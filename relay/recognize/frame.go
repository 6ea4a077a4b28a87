package recognize

import "encoding/binary"

// Record types of RFC 8446 section 5.1.
const (
	recordAlert     = 0x15
	recordHandshake = 0x16
)

// record matches the five-byte header of a TLS record of one type.
func record(typ byte) func([]byte) verdict {
	return func(b []byte) verdict {
		switch {
		case len(b) > 0 && b[0] != typ, len(b) > 1 && b[1] != 3, len(b) > 2 && b[2] > 4:
			return no
		case len(b) < recordHeader:
			return maybe
		}
		if n := binary.BigEndian.Uint16(b[3:]); n == 0 || n > maxFragment {
			return no
		}
		return yes
	}
}

// TPDU codes of X.224 section 13.
const (
	x224ConnectionRequest = 0xe0
	x224ConnectionConfirm = 0xd0
)

// x224 matches a TPKT (03 00, length) that holds the TPDU. Siemens' S7 opens with the same two layers: there the
// variable part begins with a TPDU parameter (0xc0 to 0xc2), in RDP with a cookie, a negotiation (1 request,
// 2 response, 3 failure), or it is empty.
func x224(code byte) func([]byte) verdict {
	return func(b []byte) verdict {
		switch {
		case len(b) > 0 && b[0] != 3, len(b) > 1 && b[1] != 0:
			return no
		case len(b) > 5 && b[5]&0xf0 != code:
			return no
		case len(b) < 7:
			return maybe
		}
		length, indicator := int(binary.BigEndian.Uint16(b[2:])), int(b[4])
		if length != indicator+5 || length < 11 {
			return no // X.224 section 13.2: the TPDU fills the TPKT in RDP's connection phase
		}
		if length == 11 {
			return yes
		}
		if len(b) < 12 {
			return maybe
		}
		switch b[11] {
		case 'C', 1, 2, 3:
			return yes
		}
		return no
	}
}

// mbap matches the Modbus/TCP header (transaction, protocol 0, length, unit) and the function code after it. The length
// counts the unit and the PDU: 2 to 254.
func mbap(b []byte) verdict {
	switch {
	case len(b) > 2 && b[2] != 0, len(b) > 3 && b[3] != 0, len(b) > 4 && b[4] != 0:
		return no
	case len(b) > 5 && (b[5] < 2 || b[5] > 254):
		return no
	case len(b) < 8:
		return maybe
	case b[7] == 0:
		return no // function code 0 is not valid (Application Protocol section 4.1)
	}
	return yes
}

// telnet matches IAC, a negotiation verb and an option (RFC 854): SB, WILL, WONT, DO, DONT. Two zero octets after the verb are Modbus's, whose
// transaction is any number: option 0 (BINARY, RFC 856) and then NUL is nothing that Telnet begins with.
func telnet(b []byte) verdict {
	switch {
	case len(b) > 0 && b[0] != 0xff, len(b) > 1 && (b[1] < 0xfa || b[1] > 0xfe):
		return no
	case len(b) < 3, len(b) == 3 && b[2] == 0:
		return maybe
	case b[2] == 0 && b[3] == 0:
		return no
	}
	return yes
}
