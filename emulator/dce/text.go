package dce

// textEntry is a command that asked for text with "> ", as +CMGS does (TS 27.005 section 3.5.1). What the user types goes to the
// command until control-Z, or until ESC, which gives it up.
type textEntry struct {
	max   int                                               // bytes that are kept; more makes the text not given
	lines bool                                              // CR begins a line, with a prompt of its own
	done  func(x *exchange, text []byte, given bool) result // called with the port in command state again

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

// prompt is what the user sees after a byte of the text that was not the last.
func (e *textEntry) prompt(c byte, s *settings) string {
	if e.lines && c == s.reg(3) {
		return s.crlf() + "> "
	}
	return ""
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

// ask begins the entry of text.
func (p *port) ask(e *textEntry) {
	p.entry = e
	p.mu.Lock()
	defer p.mu.Unlock()
	p.reserved, p.asking = false, true
}

// asked is false when the modem was reset while text was entered.
func (p *port) asked() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.asking
}

// askFails ends the entry of text with nothing said: its user, or the modem that asked, is gone. So are the unsolicited results that
// waited for it.
func (p *port) askFails() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.asking {
		p.asking, p.deferred = false, nil
	}
}
