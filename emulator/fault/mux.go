package fault

// muxScanner follows the frames of TS 27.010's basic option (section 5.2.1) on a line that may carry anything else: what does not
// begin as a frame does is passed over.
type muxScanner struct {
	state  muxState
	uih    bool
	length int // of the information field
	taken  int // octets of it
}

type muxState int

const (
	muxNone    muxState = iota
	muxAddress          // after a flag
	muxControl
	muxLength
	muxLength2
	muxInfo
	muxFCS
	muxClose
)

const muxFlag = 0xf9

// muxControls are the control fields, with and without P/F.
var muxControls = map[byte]bool{0x2f: true, 0x3f: true, 0x63: true, 0x73: true, 0x0f: true, 0x1f: true, 0x43: true, 0x53: true, 0xef: true, 0xff: true, 0x03: true, 0x13: true}

// feed takes the next octet, and tells whether it ends a header that information follows, and whether it is information.
func (s *muxScanner) feed(c byte) (header, info bool) {
	switch s.state {
	case muxNone, muxClose:
		if s.state = muxNone; c == muxFlag {
			s.state = muxAddress
		}
	case muxAddress:
		switch {
		case c == muxFlag:
		case c&1 == 1: // EA: DLCIs have one octet
			s.state = muxControl
		default:
			s.state = muxNone
		}
	case muxControl:
		s.state = muxNone
		if muxControls[c] {
			s.state, s.uih = muxLength, c&^0x10 == 0xef
		}
	case muxLength:
		s.length, s.taken = int(c>>1), 0
		if c&1 == 0 {
			s.state = muxLength2
			return false, false
		}
		return s.headed(), false
	case muxLength2:
		s.length |= int(c) << 7
		return s.headed(), false
	case muxInfo:
		if s.taken++; s.taken == s.length {
			s.state = muxFCS
		}
		return false, true
	case muxFCS:
		s.state = muxClose
	}
	return false, false
}

// headed is the end of a header.
func (s *muxScanner) headed() bool {
	s.state = muxInfo
	if s.length == 0 {
		s.state = muxFCS
	}
	return s.length > 0
}
