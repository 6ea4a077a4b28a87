package ppp

import "encoding/binary"

// framing is how we frame what we send, as the peer's last acknowledged Configure-Request allows.
type framing struct {
	accm      uint32
	pfc, acfc bool
}

// defaultFraming holds before LCP is open, and for LCP always: the peer may have lost its state (RFC 1661 section 6.5,
// RFC 1662 section 7.1).
var defaultFraming = framing{accm: defaultACCM}

const maxHeader = 4 // Address 1, Control 1, Protocol 2

// appendHeader appends the address, control and protocol fields.
func (f framing) appendHeader(dst []byte, p Protocol) []byte {
	if !f.acfc {
		dst = append(dst, 0xff, 0x03)
	}
	if f.pfc && p < 0x100 {
		return append(dst, byte(p))
	}
	return binary.BigEndian.AppendUint16(dst, uint16(p))
}

// parseHeader splits a frame. Compressed fields are taken whether or not we asked for them, since they cannot be mistaken: a
// Protocol's first octet is even unless it is its last (RFC 1661 section 2).
func parseHeader(frame []byte) (p Protocol, payload []byte, ok bool) {
	if len(frame) >= 2 && frame[0] == 0xff && frame[1] == 0x03 {
		frame = frame[2:]
	}
	switch {
	case len(frame) >= 1 && frame[0]&1 == 1:
		return Protocol(frame[0]), frame[1:], true
	case len(frame) >= 2:
		return Protocol(binary.BigEndian.Uint16(frame)), frame[2:], true
	}
	return 0, nil, false
}
