package cmux

const (
	// turnSize is what a channel may send at a time, and have queued: enough for a PPP packet in frames of 31 octets to go in one
	// write, and on a line of 115,200 bit/s an AT command waits for 180 ms at most behind another channel's turn.
	turnSize = 2048
	// maxControl bounds the answers for a peer that asks but does not read.
	maxControl = 4096
)

// write is the writer goroutine: it alone writes to the port. One turn is one write.
func (m *Mux) write() error {
	var control, data []byte
	m.mu.Lock()
	defer m.mu.Unlock()
	for {
		control, m.control = m.control, control[:0]
		data = m.takeTurnLocked(data[:0])
		if len(control) == 0 && len(data) == 0 {
			if m.hurry {
				return nil
			}
			m.work.Wait()
			continue
		}
		m.stats.OctetsSent += uint64(len(control) + len(data))
		m.mu.Unlock()
		err := m.flush(control)
		if err == nil {
			err = m.flush(data)
		}
		m.mu.Lock()
		if err != nil {
			return err
		}
	}
}

func (m *Mux) flush(p []byte) error {
	if len(p) == 0 {
		return nil
	}
	_, err := m.port.Write(p)
	return err
}

// takeTurnLocked takes the queue of the next channel that may send, and leaves it spare in exchange.
func (m *Mux) takeTurnLocked(spare []byte) []byte {
	if m.held || m.hurry {
		return spare
	}
	for range m.channels {
		m.turn = (m.turn + 1) % len(m.channels)
		ch := m.channels[m.turn]
		if ch == nil || len(ch.out) == 0 || ch.stalled {
			continue
		}
		taken := ch.out
		ch.out = spare
		ch.writable.Broadcast()
		if ch.drained != nil {
			close(ch.drained)
			ch.drained = nil
		}
		return taken
	}
	return spare
}

// sendLocked queues a control frame.
func (m *Mux) sendLocked(frame []byte) {
	if len(m.control)+len(frame) > maxControl {
		m.stats.Dropped++
		return
	}
	m.control = append(m.control, frame...)
	m.stats.FramesSent++
	m.work.Signal()
}

// respondLocked answers a frame.
func (m *Mux) respondLocked(t FrameType, dlci byte) {
	var buf [headerSize + trailerSize]byte
	m.sendLocked(AppendFrame(buf[:0], Frame{DLCI: dlci, Command: !m.commandBit(), Type: t, PF: true}))
}

// answerLocked answers a control channel command.
func (m *Mux) answerLocked(typ messageType, value []byte) {
	info := appendMessage(nil, message{typ: typ, value: value})
	m.sendLocked(AppendFrame(nil, Frame{Command: m.commandBit(), Type: UIH, Info: info}))
}
