package plc

import (
	"encoding/binary"
	"fmt"
)

// Sizes of the TCP framing (Modbus Messaging on TCP/IP 1.0b, section 3.1.3).
const (
	mbapSize  = 7   // transaction id 2, protocol id 2, length 2, unit id 1
	maxPDU    = 253 // an RS-485 ADU of 256 less address and CRC
	minLength = 2   // unit id and function code
	maxLength = 1 + maxPDU
)

// MBAP is the header before each PDU.
type MBAP struct {
	TransactionID uint16
	Length        uint16 // of unit id and PDU
	UnitID        byte
}

// ParseMBAP reads a header from mbapSize bytes. After an error the stream has no frame boundary any more.
func ParseMBAP(b []byte) (MBAP, error) {
	if len(b) < mbapSize {
		return MBAP{}, fmt.Errorf("parsing the MBAP header: %d bytes, want %d", len(b), mbapSize)
	}
	if id := binary.BigEndian.Uint16(b[2:]); id != 0 {
		return MBAP{}, fmt.Errorf("parsing the MBAP header: protocol id %#04x, want 0", id)
	}
	h := MBAP{TransactionID: binary.BigEndian.Uint16(b), Length: binary.BigEndian.Uint16(b[4:]), UnitID: b[6]}
	if h.Length < minLength || h.Length > maxLength {
		return MBAP{}, fmt.Errorf("parsing the MBAP header: length %d, want %d to %d", h.Length, minLength, maxLength)
	}
	return h, nil
}

// pduLength is what follows the header.
func (h MBAP) pduLength() int { return int(h.Length) - 1 }

// appendMBAP leaves the length zero: it is known when the PDU stands behind it.
func appendMBAP(dst []byte, transactionID uint16, unitID byte) []byte {
	dst = binary.BigEndian.AppendUint16(dst, transactionID)
	return append(dst, 0, 0, 0, 0, unitID)
}

func setMBAPLength(adu []byte) {
	binary.BigEndian.PutUint16(adu[4:], uint16(len(adu)-mbapSize+1))
}
