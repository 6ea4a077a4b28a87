package dce

// textEntry is a command that asked for text with "> ", as +CMGS does (TS 27.005 section 3.5.1). What the user types goes to the
// command until control-Z, or until ESC, which gives it up.
type textEntry struct {
	max  int                                               // bytes that are kept; more makes the text not given
	done func(x *exchange, text []byte, given bool) result // called with the port in command state again

	body []byte
	over bool
}

const (
	endOfText   = 0x1a // control-Z
	abandonText = 0x1b // ESC
)

// textResult is the result of a command that needs text.
func textResult(max int, done func(x *exchange, text []byte, given bool) result) result {
	return result{text: &textEntry{max: max, done: done}}
}

// feed takes one byte of the text; ended tells that it was the last, given that there is a text to use.
func (e *textEntry) feed(c byte, s *settings) (text []byte, ended, given bool) {
	switch {
	case c == endOfText:
		return e.body, true, !e.over
	case c == abandonText:
		return nil, true, false
	case c == s.reg(5):
		if len(e.body) > 0 {
			e.body = e.body[:len(e.body)-1]
		}
	case len(e.body) >= e.max:
		e.over = true
	default:
		e.body = append(e.body, c)
	}
	return nil, false, false
}
