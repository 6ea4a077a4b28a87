package ppp

import (
	"encoding/binary"
	"errors"
)

const packetHeader = 4 // Code 1, Identifier 1, Length 2 (RFC 1661 section 5)

var errPacketLength = errors.New("packet length does not fit the frame")

// packet is what LCP, IPCP, PAP and CHAP exchange.
type packet struct {
	code Code
	id   byte
	data []byte
}

// parsePacket reads one packet. Octets beyond its Length are padding and ignored (RFC 1661 section 5).
func parsePacket(b []byte) (packet, error) {
	if len(b) < packetHeader {
		return packet{}, errPacketLength
	}
	n := int(binary.BigEndian.Uint16(b[2:]))
	if n < packetHeader || n > len(b) {
		return packet{}, errPacketLength
	}
	return packet{code: Code(b[0]), id: b[1], data: b[packetHeader:n]}, nil
}

func (p packet) append(dst []byte) []byte {
	dst = append(dst, byte(p.code), p.id)
	dst = binary.BigEndian.AppendUint16(dst, uint16(packetHeader+len(p.data)))
	return append(dst, p.data...)
}
