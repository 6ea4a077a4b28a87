package atline

import "strings"

// lineLocked decides whose a line is. It returns the unsolicited code that became complete with it, if any.
func (l *Line) lineLocked(raw []byte) *URC {
	if l.urc != nil { // its message: any text at all, an empty one included
		l.urc.Payload = append(l.urc.Payload, string(raw))
		if len(l.urc.Payload) < payloadLines[l.urc.Name()] {
			return nil
		}
		u := l.urc
		l.urc = nil
		return u
	}
	raw = trim(raw)
	if len(raw) == 0 {
		return nil
	}
	if isNoise(raw) {
		l.dropped++
		return nil
	}
	line := string(raw)
	l.log.Debug("at", "got", Redact(line))
	if l.pending == nil {
		return l.idleLocked(line)
	}
	p := l.pending
	if l.isEcho(p, line) {
		return nil
	}
	switch r := l.resultOf(p, line); {
	case r == resultNone, r == resultCall && !p.endsCall():
		if p.takes(line) {
			if p.size += len(line) + len("\r\n"); p.size <= maxReply {
				p.shim.put(line)
			}
			return nil
		}
		if p.quiet && l.late != nil && l.late.takes(line) {
			return nil // the late reply's text
		}
		return l.unsolicitedLocked(line)
	case r == resultConnect && !p.dial:
		l.online = l.online || l.noise // the answer to an earlier dial; else a call that is not ours
		return nil
	default:
		l.finalLocked(p, r, line)
	}
	return nil
}

// prompt asks for text (27.005, 3.5.1). No line's end follows.
const prompt = "> "

// promptLocked ends a command that asks for text. What else the modem takes for it, until ESC, is no command.
func (l *Line) promptLocked() {
	if p := l.pending; p != nil && p.shim != nil && string(l.split.buf) == prompt {
		l.split.buf = l.split.buf[:0]
		l.giveUpLocked(p, ErrPrompt)
		l.text = true
	}
}

// isEcho recognises the command line come back (V.250, 6.2.4), and, while E1 holds, what is left of it after a resynchronisation.
func (l *Line) isEcho(p *pending, line string) bool {
	return len(line) == len(p.cmd)+2 && strings.EqualFold(line[:2], "AT") && strings.EqualFold(line[2:], p.cmd)
}

func (l *Line) resultOf(p *pending, line string) result {
	r := parseResult(line)
	if r == resultNone && len(p.parts) > 0 && p.parts[0].form == formAction && nameEnd(p.parts[0].name) == 0 && p.parts[0].name != "I" {
		r = parseNumericResult(line)
	}
	return r
}

// endsCall tells whether NO CARRIER and its kind are the command's result. $QCRMCALL answers so, too.
func (p *pending) endsCall() bool {
	return p.dial || p.shim == nil || len(p.parts) > 0 && p.parts[0].name == "$QCRMCALL"
}

// finalLocked ends the command and tells the sender, in its own words.
func (l *Line) finalLocked(p *pending, r result, line string) {
	l.pending = nil
	p.finish(line, nil)
	told := line
	switch r {
	case resultOK:
		told = "OK"
		if p.hands {
			p.data = newData(l)
			l.data, l.online = p.data, true
		}
	case resultConnect:
		told = "OK"
		p.data = newData(l)
		l.data, l.online = p.data, true
	case resultError, resultCall:
		told = "ERROR"
	}
	if p.shim != nil {
		p.shim.put(told)
	}
}

// idleLocked handles a line that came while no command was under way.
func (l *Line) idleLocked(line string) *URC {
	if l.noise && !isAnnouncement(line) { // else a modem that announces things all the time would never be done with the noise
		l.touchLocked()
	}
	r := parseResult(line)
	if l.noise && line == "1" { // CONNECT in the short form, which the noise may have chosen
		r = resultConnect
	}
	switch r {
	case resultConnect:
		// The dial that was given up went through after all; or the noise after a call held an A/, which dials again.
		if l.noise || l.late != nil && l.late.dial {
			l.online = true
		}
		l.countLocked()
		return nil
	case resultOK, resultError, resultCMx:
		l.countLocked()
		return nil
	case resultCall:
		l.online = false
	case resultNone:
		if l.late != nil && l.late.takes(line) || strings.HasPrefix(strings.ToUpper(line), "AT") {
			l.touchLocked()
			return nil // a late reply, or an echo
		}
	}
	return l.unsolicitedLocked(line)
}

// countLocked notes one final result of a command that was given up.
func (l *Line) countLocked() {
	if l.owed > 0 {
		l.owed--
	}
	l.touchLocked()
}

func (l *Line) touchLocked() {
	select {
	case l.activity <- struct{}{}:
	default:
	}
}

func (l *Line) unsolicitedLocked(line string) *URC {
	if parseResult(line) == resultCall {
		l.online = false
	}
	u := &URC{Line: line}
	if payloadLines[u.Name()] > 0 {
		l.urc = u
		return nil
	}
	return u
}
