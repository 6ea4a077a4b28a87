package sms

import "time"

// TPDU is one of *Submit, *Deliver and *StatusReport.
type TPDU interface {
	Encode() ([]byte, error)
}

var (
	_ TPDU = (*Submit)(nil)
	_ TPDU = (*Deliver)(nil)
	_ TPDU = (*StatusReport)(nil)
)

// Bits of the first octet (TS 23.040 section 9.2.3); some have two meanings.
const (
	typeDeliver = 0
	typeSubmit  = 1
	typeReport  = 2 // from the service centre; from a mobile it is a command
	typeMask    = 3

	bitNoMore    = 0x04 // SMS-DELIVER, SMS-STATUS-REPORT
	bitDuplicate = 0x04 // SMS-SUBMIT: reject duplicates
	bitLoop      = 0x08
	bitReport    = 0x20 // a report is asked for, or will be given, or is about a command
	bitHeader    = 0x40
	bitReplyPath = 0x80
)

func bit(on bool, mask byte) byte {
	if on {
		return mask
	}
	return 0
}

// Submit is SMS-SUBMIT: a mobile's message (section 9.2.2.2).
type Submit struct {
	RejectDuplicates bool
	StatusReport     bool // one is asked for
	ReplyPath        bool
	Reference        byte
	Destination      Address
	PID, DCS         byte
	Validity         Validity
	UserData         UserData
}

// ParseSubmit reads an SMS-SUBMIT and nothing else.
func ParseSubmit(b []byte) (*Submit, error) {
	r := reader{b: b}
	fo := r.octet("first octet")
	if r.err == nil && fo&typeMask != typeSubmit {
		r.fail("type %d is not SMS-SUBMIT", fo&typeMask)
	}
	s := &Submit{RejectDuplicates: fo&bitDuplicate != 0, StatusReport: fo&bitReport != 0, ReplyPath: fo&bitReplyPath != 0}
	s.Reference = r.octet("message reference")
	s.Destination = r.address("destination address")
	s.PID = r.octet("protocol identifier")
	s.DCS = r.octet("data coding scheme")
	s.Validity = r.validity(ValidityFormat(fo >> 3 & 3))
	s.UserData = r.userData(s.DCS, fo&bitHeader != 0)
	if err := r.end(); err != nil {
		return nil, err
	}
	return s, nil
}

// FirstOctet gives what text mode calls <fo>.
func (s *Submit) FirstOctet() byte {
	return typeSubmit | byte(s.Validity.Format)<<3 | bit(s.RejectDuplicates, bitDuplicate) | bit(s.StatusReport, bitReport) |
		bit(s.UserData.Header != nil, bitHeader) | bit(s.ReplyPath, bitReplyPath)
}

// Encode gives the octets.
func (s *Submit) Encode() ([]byte, error) {
	b, err := s.Destination.append([]byte{s.FirstOctet(), s.Reference})
	if err != nil {
		return nil, err
	}
	if b, err = s.Validity.append(append(b, s.PID, s.DCS)); err != nil {
		return nil, err
	}
	return s.UserData.append(b, s.DCS)
}

// Deliver is SMS-DELIVER: a message to a mobile (section 9.2.2.1).
type Deliver struct {
	More           bool // more are waiting
	LoopPrevention bool
	StatusReport   bool // the sender will get one
	ReplyPath      bool
	Origin         Address
	PID, DCS       byte
	Time           time.Time
	UserData       UserData
}

// ParseDeliver reads an SMS-DELIVER and nothing else.
func ParseDeliver(b []byte) (*Deliver, error) {
	r := reader{b: b}
	fo := r.octet("first octet")
	if r.err == nil && fo&typeMask != typeDeliver {
		r.fail("type %d is not SMS-DELIVER", fo&typeMask)
	}
	d := &Deliver{More: fo&bitNoMore == 0, LoopPrevention: fo&bitLoop != 0, StatusReport: fo&bitReport != 0, ReplyPath: fo&bitReplyPath != 0}
	d.Origin = r.address("originating address")
	d.PID = r.octet("protocol identifier")
	d.DCS = r.octet("data coding scheme")
	d.Time = r.time("service centre time stamp")
	d.UserData = r.userData(d.DCS, fo&bitHeader != 0)
	if err := r.end(); err != nil {
		return nil, err
	}
	return d, nil
}

// FirstOctet gives what text mode calls <fo>.
func (d *Deliver) FirstOctet() byte {
	return typeDeliver | bit(!d.More, bitNoMore) | bit(d.LoopPrevention, bitLoop) | bit(d.StatusReport, bitReport) |
		bit(d.UserData.Header != nil, bitHeader) | bit(d.ReplyPath, bitReplyPath)
}

// Encode gives the octets.
func (d *Deliver) Encode() ([]byte, error) {
	b, err := d.Origin.append([]byte{d.FirstOctet()})
	if err != nil {
		return nil, err
	}
	if b, err = appendTime(append(b, d.PID, d.DCS), d.Time); err != nil {
		return nil, err
	}
	return d.UserData.append(b, d.DCS)
}

// ParseFromCentre reads what a service centre sends.
func ParseFromCentre(b []byte) (TPDU, error) {
	if len(b) > 0 && b[0]&typeMask == typeReport {
		r, err := ParseStatusReport(b)
		if err != nil {
			return nil, err // not a nil pointer in an interface
		}
		return r, nil
	}
	d, err := ParseDeliver(b)
	if err != nil {
		return nil, err
	}
	return d, nil
}
