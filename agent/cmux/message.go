package cmux

import "errors"

var errMessage = errors.New("malformed message on the control channel")

// message is one message of the control channel: type, length, value (section 5.4.6.1).
type message struct {
	typ     messageType
	command bool
	value   []byte
}

func appendMessage(dst []byte, m message) []byte {
	typ, n := byte(m.typ), len(m.value)
	if m.command {
		typ |= cr
	}
	if n < 1<<7 {
		dst = append(dst, typ, byte(n)<<1|ea)
	} else {
		dst = append(dst, typ, byte(n)<<1, byte(n>>7)<<1|ea)
	}
	return append(dst, m.value...)
}

// parseMessage returns the first message in p and what follows it. Type and length are extensible fields of seven bits an octet;
// a longer type than one octet is none that the standard has.
func parseMessage(p []byte) (m message, rest []byte, err error) {
	if len(p) < 2 || p[0]&ea == 0 {
		return m, nil, errMessage
	}
	m.typ, m.command = messageType(p[0]&^cr), p[0]&cr != 0
	n, p := int(p[1]>>1), p[1:]
	if p[0]&ea == 0 {
		if len(p) < 2 || p[1]&ea == 0 {
			return m, nil, errMessage
		}
		n, p = n|int(p[1]>>1)<<7, p[1:]
	}
	p = p[1:]
	if n > len(p) {
		return m, nil, errMessage
	}
	m.value = p[:n]
	return m, p[n:], nil
}
