package cmux

import "time"

// exchangeKey names what an answer answers: SABM and DISC by UA or DM on the same DLCI, a control channel command by the response
// of its type. There is at most one exchange of a key at a time, which bounds them.
type exchangeKey struct {
	frame FrameType   // SABM or DISC; 0: a message
	msg   messageType // with frame 0
	dlci  byte        // of a frame, and of PN and MSC
}

// exchange is a command that waits for its answer.
type exchange struct {
	command  []byte // the whole frame
	value    []byte // of MSC: what the response repeats
	interval time.Duration
	left     int // repetitions
	due      time.Time
	then     func(error) // called once, with the lock held; nil: the answer matters to nobody
}

// requestLocked sends a command and sees to its repetition. A newer one takes the place of an older with the same key, and its
// answer is the older's too.
func (m *Mux) requestLocked(key exchangeKey, e *exchange) {
	if old := m.exchanges[key]; old != nil && old.then != nil {
		then := e.then
		e.then = func(err error) {
			old.then(err)
			then(err)
		}
	}
	e.left = m.cfg.N2
	e.due = time.Now().Add(e.interval)
	m.exchanges[key] = e
	m.sendLocked(e.command)
	m.kickLocked()
}

func (m *Mux) kickLocked() {
	select {
	case m.kick <- struct{}{}:
	default:
	}
}

// settleLocked ends an exchange: err is nil when the peer agreed.
func (m *Mux) settleLocked(key exchangeKey, err error) bool {
	e, ok := m.exchanges[key]
	if !ok {
		return false
	}
	delete(m.exchanges, key)
	if e.then != nil {
		e.then(err)
	}
	return true
}

// expireLocked repeats what is due and gives up what has been repeated enough. It tells when it wants to be called again.
func (m *Mux) expireLocked(now time.Time) (next time.Time, ok bool) {
	for key, e := range m.exchanges {
		if e.due.After(now) {
			continue
		}
		if e.left <= 0 {
			m.stats.Unanswered++
			m.settleLocked(key, ErrNoAnswer)
			continue
		}
		e.left--
		e.due = now.Add(e.interval)
		m.stats.Repeated++
		m.sendLocked(e.command)
	}
	for _, e := range m.exchanges { // also those that settling began
		if !ok || e.due.Before(next) {
			next, ok = e.due, true
		}
	}
	return next, ok
}

// frameLocked begins the exchange of a SABM or DISC.
func (m *Mux) frameLocked(t FrameType, dlci byte, then func(error)) {
	m.requestLocked(exchangeKey{frame: t, dlci: dlci}, &exchange{
		command:  AppendFrame(nil, Frame{DLCI: dlci, Command: m.commandBit(), Type: t, PF: true}),
		interval: m.cfg.T1, then: then,
	})
}

// messageLocked begins the exchange of a control channel command.
func (m *Mux) messageLocked(typ messageType, dlci byte, value []byte, then func(error)) {
	info := appendMessage(nil, message{typ: typ, command: true, value: value})
	m.requestLocked(exchangeKey{msg: typ, dlci: dlci}, &exchange{
		command:  AppendFrame(nil, Frame{Command: m.commandBit(), Type: UIH, Info: info}),
		value:    value,
		interval: m.cfg.T2, then: then,
	})
}

// commandBit is the C/R bit of our commands and of all our UIH frames; our responses have the other (section 5.2.1.2, table 1).
func (m *Mux) commandBit() bool { return m.cfg.Role == Initiator }
