package cmux

import "time"

// openControlLocked begins the initiator's opening of the control channel.
func (m *Mux) openControlLocked() {
	m.frameLocked(SABM, 0, func(err error) {
		if err != nil {
			m.endLocked(openingError(0, err))
			return
		}
		m.controlOpenLocked()
	})
}

func (m *Mux) controlOpenLocked() {
	if m.state != opening {
		return
	}
	m.state = open
	close(m.ready)
	m.cfg.Logger.Info("multiplexer is open", "n1", m.cfg.N1)
}

// messagesReceivedLocked handles the information field of a frame on DLCI 0.
func (m *Mux) messagesReceivedLocked(info []byte) {
	if m.state == opening {
		m.stats.Strays++
		if m.cfg.Role == Responder {
			m.respondLocked(DM, 0)
		}
		return
	}
	for len(info) > 0 && m.state != ended {
		msg, rest, err := parseMessage(info)
		if err != nil {
			m.stats.BadMessages++
			return
		}
		if msg.command {
			m.commandReceivedLocked(msg)
		} else {
			m.responseReceivedLocked(msg)
		}
		info = rest
	}
}

// commandReceivedLocked obeys and answers. Most answers repeat the command's value.
func (m *Mux) commandReceivedLocked(msg message) {
	switch msg.typ {
	case msgTest:
		if string(msg.value) != pings[m.cfg.Role] { // our own, which a modem in AT mode echoes: the answer would come back as one
			m.answerLocked(msg.typ, msg.value)
		}
	case msgPSC: // power saving is the port's business; to agree costs nothing
		m.answerLocked(msg.typ, msg.value)
	case msgFCoff, msgFCon:
		m.held = msg.typ == msgFCoff
		m.answerLocked(msg.typ, msg.value)
		m.work.Signal()
	case msgMSC:
		m.signalsReceivedLocked(msg)
	case msgPN:
		m.parametersReceivedLocked(msg)
	case msgCLD:
		m.answerLocked(msg.typ, msg.value)
		m.peerClosedLocked()
	default:
		m.stats.NotSupported++
		m.answerLocked(msgNSC, []byte{byte(msg.typ) | cr})
	}
}

// pings are the values of Ping's Test commands, each end's its own.
var pings = [...]string{Initiator: "ping", Responder: "pong"}

// signalsReceivedLocked takes MSC. It is answered for a channel that we do not have too, since some peers send it before SABM and
// wait.
func (m *Mux) signalsReceivedLocked(msg message) {
	if len(msg.value) < signalsSize {
		m.stats.BadMessages++
		return
	}
	if ch := m.channelLocked(msg.value[0] >> 2); ch != nil {
		signals, stalled := parseSignals(msg.value[1])
		ch.stalled = stalled
		if signals != ch.remote || !ch.told {
			ch.remote, ch.told = signals, true
			select {
			case ch.changed <- struct{}{}:
			default:
			}
		}
		if !stalled {
			m.work.Signal()
		}
	}
	m.answerLocked(msgMSC, msg.value)
}

// parametersReceivedLocked answers PN: we take what the peer wants to send unless it is more than our decoder takes. All but N1 is
// as the basic option has it.
func (m *Mux) parametersReceivedLocked(msg message) {
	p, ok := parseParameters(msg.value)
	if !ok || p.dlci == 0 || p.dlci > MaxDLCI {
		m.stats.BadMessages++
		return
	}
	p.n1 = min(p.n1, m.decoder.max)
	if m.channels[p.dlci] == nil {
		m.agreed[p.dlci] = p.n1
	}
	value := appendParameters(nil, p, 0, 0)
	value[2], value[3], value[6] = msg.value[2], msg.value[3], msg.value[6] // priority, T1 and N2 are not ours to change
	m.answerLocked(msgPN, value)
}

func (m *Mux) responseReceivedLocked(msg message) {
	key := exchangeKey{msg: msg.typ}
	switch msg.typ {
	case msgNSC:
		m.notSupportedLocked(msg.value)
		return
	case msgMSC:
		if len(msg.value) < signalsSize {
			m.stats.BadMessages++
			return
		}
		key.dlci = msg.value[0] >> 2
		if e := m.exchanges[key]; e != nil && e.value[1] != msg.value[1] {
			return // the answer to an older one
		}
	case msgPN:
		p, ok := parseParameters(msg.value)
		if !ok || p.dlci > MaxDLCI {
			m.stats.BadMessages++
			return
		}
		key.dlci = p.dlci
		if _, asked := m.exchanges[key]; asked {
			m.agreed[p.dlci] = min(p.n1, m.cfg.Negotiate)
		}
	}
	m.settleLocked(key, nil)
}

// notSupportedLocked handles NSC, which names a type but no channel.
func (m *Mux) notSupportedLocked(value []byte) {
	if len(value) == 0 {
		m.stats.BadMessages++
		return
	}
	typ := messageType(value[0] &^ cr)
	m.cfg.Logger.Debug("the peer does not know a command", "type", typ)
	for key := range m.exchanges {
		if key.frame == 0 && key.msg == typ {
			m.settleLocked(key, errNotSupported)
		}
	}
}

// closeDownLocked begins our close-down: CLD, and if nobody answers DISC on DLCI 0, which some modems know instead.
func (m *Mux) closeDownLocked() {
	m.state = closing
	for _, ch := range m.channels {
		if ch != nil {
			m.endChannelLocked(ch, ErrClosed)
		}
	}
	m.messageLocked(msgCLD, 0, nil, func(err error) {
		switch {
		case err == nil || m.peerClosed || m.state == ended:
			m.endLocked(nil)
		default:
			m.frameLocked(DISC, 0, func(err error) {
				if err != nil {
					err = closingError(0, err)
				}
				m.endLocked(err)
			})
		}
	})
}

// peerClosedLocked handles the peer's close-down, which is already answered. When both close at once, we still wait for the answer
// to our own, lest it be taken for AT.
func (m *Mux) peerClosedLocked() {
	if m.state == closing {
		m.peerClosed = true
		return
	}
	m.endLocked(ErrPeerClosed)
}

// patience is how long an exchange of frames may take.
func (m *Mux) patience() time.Duration { return m.cfg.T1 * time.Duration(m.cfg.N2+1) }
