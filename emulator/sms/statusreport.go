package sms

import "time"

// Values of TP-Status (TS 23.040 section 9.2.3.15).
const (
	StatusReceived byte = 0x00 // by the recipient
	StatusRejected byte = 0x44 // permanent error: not obtainable
	StatusExpired  byte = 0x46 // permanent error: validity period expired
)

// Bits of TP-Parameter-Indicator (section 9.2.3.27).
const (
	hasPID = 1 << iota
	hasDCS
	hasUserData
	parameters = hasPID | hasDCS | hasUserData
)

// StatusReport is SMS-STATUS-REPORT: what became of a message (section 9.2.2.3).
type StatusReport struct {
	More           bool
	LoopPrevention bool
	Command        bool // it is about an SMS-COMMAND
	Reference      byte
	Recipient      Address
	Time           time.Time // of the message
	Discharge      time.Time
	Status         byte
	Parameters     bool // TP-Parameter-Indicator is there
	Indicator      byte // which of the following are
	PID, DCS       byte
	UserData       UserData
}

// ParseStatusReport reads an SMS-STATUS-REPORT and nothing else.
func ParseStatusReport(b []byte) (*StatusReport, error) {
	r := reader{b: b}
	fo := r.octet("first octet")
	if r.err == nil && fo&typeMask != typeReport {
		r.fail("type %d is not SMS-STATUS-REPORT", fo&typeMask)
	}
	s := &StatusReport{More: fo&bitNoMore == 0, LoopPrevention: fo&bitLoop != 0, Command: fo&bitReport != 0}
	s.Reference = r.octet("message reference")
	s.Recipient = r.address("recipient address")
	s.Time = r.time("service centre time stamp")
	s.Discharge = r.time("discharge time")
	s.Status = r.octet("status")
	if r.err == nil && r.left() > 0 {
		s.Parameters, s.Indicator = true, r.octet("parameter indicator")
		if s.Indicator&^parameters != 0 {
			r.fail("parameter indicator %#x: bits that are reserved", s.Indicator)
		}
		if s.Indicator&hasPID != 0 {
			s.PID = r.octet("protocol identifier")
		}
		if s.Indicator&hasDCS != 0 {
			s.DCS = r.octet("data coding scheme")
		}
	}
	if r.err == nil && s.Indicator&hasUserData != 0 {
		s.UserData = r.userData(s.DCS, fo&bitHeader != 0)
	} else if r.err == nil && fo&bitHeader != 0 {
		r.fail("a header without user data")
	}
	if err := r.end(); err != nil {
		return nil, err
	}
	return s, nil
}

// FirstOctet gives what text mode calls <fo>.
func (s *StatusReport) FirstOctet() byte {
	return typeReport | bit(!s.More, bitNoMore) | bit(s.LoopPrevention, bitLoop) | bit(s.Command, bitReport) |
		bit(s.UserData.Header != nil, bitHeader)
}

// Encode gives the octets.
func (s *StatusReport) Encode() ([]byte, error) {
	b, err := s.Recipient.append([]byte{s.FirstOctet(), s.Reference})
	if err != nil {
		return nil, err
	}
	for _, t := range []time.Time{s.Time, s.Discharge} {
		if b, err = appendTime(b, t); err != nil {
			return nil, err
		}
	}
	b = append(b, s.Status)
	if !s.Parameters {
		return b, nil
	}
	b = append(b, s.Indicator)
	if s.Indicator&hasPID != 0 {
		b = append(b, s.PID)
	}
	if s.Indicator&hasDCS != 0 {
		b = append(b, s.DCS)
	}
	if s.Indicator&hasUserData != 0 {
		return s.UserData.append(b, s.DCS)
	}
	return b, nil
}
