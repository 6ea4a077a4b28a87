package dce

import (
	"fmt"
	"time"

	"minato/emulator/sms"
)

// ackTime is how long the TE has for +CNMA; the network does not wait much longer for the modem (TS 24.011).
const ackTime = 15 * time.Second

// watchMessages has the centre wake Run when there is a message.
func (m *Modem) watchMessages() (stop func()) {
	if m.centre == nil {
		return func() {}
	}
	return m.centre.Watch(m.subscriber(), m.poke)
}

// receive takes all messages that the network has for the modem. It gives how long to wait for a +CNMA, if one is owed. Only Run
// calls it.
func (m *Modem) receive() (time.Duration, bool) {
	if m.centre == nil {
		return 0, false
	}
	for {
		m.mu.Lock()
		g := &m.messages
		if g.unacked != nil {
			if left := time.Until(g.deadline); left > 0 {
				m.mu.Unlock()
				return left, true
			}
			// Nobody acknowledges: the message stays with the network, and routing to the TE ends (TS 27.005 section 3.4.4).
			g.unacked = nil
			g.routing[1], g.routing[3] = 0, 0
		}
		reachable := m.reg.stat.registered() && m.sim.ready() && !m.booting && !m.stopped && len(g.sending) == 0
		imsi, room := m.sim.card.IMSI, g.room
		g.room = room && !reachable
		m.mu.Unlock()
		if !reachable {
			return 0, false
		}
		if room {
			m.centre.MemoryAvailable(imsi)
		}
		d, ok := m.centre.Next(imsi)
		if !ok {
			return 0, false
		}
		m.take(d)
	}
}

// take stores a message or routes it to the TE, as +CNMI says.
func (m *Modem) take(d sms.Delivery) {
	msg := sms.Message{Status: sms.ReceivedUnread, Centre: d.Centre, TPDU: d.TPDU}
	t, err := msg.Parse()
	if err != nil {
		m.log.Warn("short message that cannot be read", "error", err)
		m.centre.Refuse(d, sms.CauseProtocol)
		return
	}
	m.mu.Lock()
	g := &m.messages
	text, routed, room := "", false, true
	switch t := t.(type) {
	case *sms.Deliver:
		if routed = g.routes(t); routed {
			text = m.routedLocked("+CMT", msg, t)
		} else {
			text, room = m.keepLocked(msg, t)
		}
	case *sms.StatusReport:
		switch g.routing[3] {
		case 1:
			text, routed = m.routedLocked("+CDS", msg, t), true
		case 2:
			text, room = m.addLocked("+CDSI", m.personality.sms().Reports.Value, storageSR, msg)
		}
	}
	owed := routed && g.service == 1
	switch {
	case !room:
		g.full = true
	case owed:
		g.unacked, g.deadline = &d, time.Now().Add(ackTime)
	}
	m.mu.Unlock()
	switch {
	case !room:
		m.centre.Refuse(d, sms.CauseMemoryFull)
	case !owed:
		m.centre.Acknowledge(d)
	}
	if text != "" {
		m.indicate(text)
	}
	m.tellIndicators()
}

// routes tells whether a message goes to the TE and not into a storage. Class 2 is for the SIM, whatever <mt> says.
func (g *messaging) routes(t *sms.Deliver) bool {
	_, class := sms.Coding(t.DCS)
	return g.routing[1] == 2 && class != 2 || g.routing[1] == 3 && class == 3
}

// keepLocked stores a message; text is what to tell.
func (m *Modem) keepLocked(msg sms.Message, t *sms.Deliver) (text string, room bool) {
	memory := m.messages.memories[2]
	if _, class := sms.Coding(t.DCS); class == 2 {
		memory = storageSM
	}
	text, room = m.addLocked("+CMTI", memory, memory, msg)
	if m.messages.routing[1] == 0 {
		text = ""
	}
	return text, room
}

// addLocked stores a message; told is the name that its result gives the storage.
func (m *Modem) addLocked(command, told, memory string, msg sms.Message) (text string, room bool) {
	place, room := m.messages.store(memory).Add(msg)
	if !room {
		return "", false
	}
	return fmt.Sprintf(`%s: "%s",%d`, command, told, m.personality.sms().First.Value+place), true
}

// routedLocked is a message as +CMT and +CDS show it.
func (m *Modem) routedLocked(command string, msg sms.Message, t sms.TPDU) string {
	g := &m.messages
	_, report := t.(*sms.StatusReport)
	var lines []string
	switch {
	case g.text:
		lines = showText(m.charsetLocked(), command+": ", "", g.details, false, msg.Centre, t)
	case report:
		lines = []string{fmt.Sprintf("%s: %d", command, len(msg.TPDU)), showPDU(msg.Centre, msg.TPDU)}
	default:
		lines = []string{fmt.Sprintf("%s: ,%d", command, len(msg.TPDU)), showPDU(msg.Centre, msg.TPDU)}
	}
	text := lines[0]
	for _, l := range lines[1:] {
		text += "\r\n" + l
	}
	return text
}

// indicate tells of a message, in the manner of +CNMI's <mode>.
func (m *Modem) indicate(text string) {
	m.mu.Lock()
	mode := m.messages.routing[0]
	if mode == 0 && len(m.messages.held) < maxDeferred {
		m.messages.held = append(m.messages.held, text)
	}
	m.mu.Unlock()
	if mode != 0 {
		m.tell(text, mode == 2)
	}
}

// roomResult is OK, after which the user is told of a storage that has become full or is so no longer, and the network that there is
// room again, if it was told that there is none.
func (m *Modem) roomResult() result {
	r := resultOK
	r.after = func() {
		m.tellIndicators()
		m.mu.Lock()
		defer m.mu.Unlock()
		m.roomLocked()
	}
	return r
}

func (m *Modem) roomLocked() {
	if m.messages.full {
		m.messages.full, m.messages.room = false, true
		m.poke()
	}
}
