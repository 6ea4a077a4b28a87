package dce

// assembler turns the bytes of the command state into command lines (V.250 section 5.2). What comes before AT is ignored, so that
// line noise, a stray LF and the tail of PPP do no harm.
type assembler struct {
	max   int // bytes of a body that are kept
	state lineState
	body  []byte
	over  bool   // the body was longer than max
	last  string // for A/
}

type lineState int

const (
	lineIdle lineState = iota // waiting for A
	lineA                     // waiting for T or /
	lineBody                  // until the termination character
)

// event is what a byte brought about.
type event int

const (
	eventNone event = iota
	eventLine       // a line is complete
	eventOver       // a line is complete, but was too long
)

// feed takes one byte. It tells whether the byte is to be echoed, and gives the body of a line that it completed.
func (a *assembler) feed(c byte, s *settings) (echo bool, ev event, body string) {
	c &= 0x7f // V.250 section 5.1: the eighth bit may be parity
	switch a.state {
	case lineIdle:
		if c == 'A' || c == 'a' {
			a.state = lineA
			return true, eventNone, ""
		}
		return false, eventNone, ""
	case lineA:
		switch c {
		case 'T', 't':
			a.state, a.body, a.over = lineBody, a.body[:0], false
		case '/':
			a.state = lineIdle
			return true, eventLine, a.last
		case 'A', 'a':
		default:
			a.state = lineIdle
		}
		return true, eventNone, ""
	}
	switch {
	case c == s.reg(3):
		a.state = lineIdle
		if a.over {
			return true, eventOver, ""
		}
		a.last = string(a.body)
		return true, eventLine, a.last
	case c == s.reg(5):
		if len(a.body) > 0 {
			a.body = a.body[:len(a.body)-1]
		}
	case c < ' ': // other controls are ignored (section 5.2.2)
	case len(a.body) >= a.max:
		a.over = true
	default:
		a.body = append(a.body, c)
	}
	return true, eventNone, ""
}
