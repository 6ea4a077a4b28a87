package cmux

import (
	"errors"
	"io"
)

const readSize = 4096 // more than one read of a tty gives

var errStopReading = errors.New("the multiplexer has ended")

// read is the reader goroutine.
func (m *Mux) read() error {
	if w, ok := m.port.(io.WriterTo); ok {
		_, err := w.WriteTo(receiver{m})
		if err == nil {
			err = io.EOF
		}
		return err
	}
	buf := make([]byte, readSize)
	for {
		n, err := m.port.Read(buf)
		if m.receive(buf[:n]) {
			return errStopReading
		}
		if err != nil {
			return err
		}
	}
}

// receiver takes the port's chunks.
type receiver struct{ m *Mux }

func (r receiver) Write(p []byte) (int, error) {
	if r.m.receive(p) {
		return len(p), errStopReading
	}
	return len(p), nil
}

// receive handles a chunk and tells whether the multiplexer has ended. What follows the end is kept for AT.
func (m *Mux) receive(p []byte) (stop bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.state == ended {
		m.tail = append(m.tail, p...)
		return true
	}
	m.stats.OctetsReceived += uint64(len(p))
	rest, stop := m.decoder.Decode(p, m.deliver)
	if stop {
		m.tail = append(m.tail, rest...)
	}
	return stop
}

// frameReceivedLocked handles one frame; false ends reading. The C/R bit is not looked at: the type says whether a frame is a
// command, and modems set the bit of UIH frames as they like.
func (m *Mux) frameReceivedLocked(f Frame) bool {
	switch f.Type {
	case UIH, UI:
		if f.DLCI == 0 {
			m.messagesReceivedLocked(f.Info)
		} else {
			m.dataReceivedLocked(f.DLCI, f.Info)
		}
	case SABM:
		m.connectReceivedLocked(f.DLCI)
	case DISC:
		m.disconnectReceivedLocked(f.DLCI)
	case UA:
		if !m.settleLocked(exchangeKey{frame: SABM, dlci: f.DLCI}, nil) {
			m.settleLocked(exchangeKey{frame: DISC, dlci: f.DLCI}, nil)
		}
	case DM:
		m.refusalReceivedLocked(f.DLCI)
	}
	return m.state != ended
}

// channelLocked returns the channel that takes part in the traffic.
func (m *Mux) channelLocked(dlci byte) *Channel {
	if dlci == 0 || dlci > MaxDLCI {
		return nil
	}
	return m.channels[dlci]
}

func (m *Mux) dataReceivedLocked(dlci byte, info []byte) {
	ch := m.channelLocked(dlci)
	if ch == nil {
		m.stats.Strays++
		if m.state == open {
			m.respondLocked(DM, dlci)
		}
		return
	}
	if len(info) > ch.n1 {
		m.stats.LongFrames++
	}
	ch.receiveLocked(info)
}

// connectReceivedLocked handles SABM. One for a channel that is open and has had no data yet is a repetition, since our UA was
// lost; after data it means that the peer has started anew.
func (m *Mux) connectReceivedLocked(dlci byte) {
	if m.cfg.Role == Initiator || dlci > MaxDLCI || m.state == closing {
		m.respondLocked(DM, dlci)
		return
	}
	if dlci == 0 {
		for _, ch := range m.channels {
			if ch != nil {
				m.endChannelLocked(ch, errRestarted)
			}
		}
		clear(m.agreed[:])
		m.held = false
		m.respondLocked(UA, 0)
		m.controlOpenLocked()
		return
	}
	if m.state != open {
		m.respondLocked(DM, dlci)
		return
	}
	if ch := m.channels[dlci]; ch != nil {
		if !ch.touched && !ch.closing {
			m.respondLocked(UA, dlci)
			return
		}
		m.endChannelLocked(ch, errRestarted)
	}
	m.mu.Unlock() // never call out with the lock held
	welcome := m.cfg.Accept(dlci)
	m.mu.Lock()
	if m.state != open || !welcome || len(m.accepted) == cap(m.accepted) {
		m.respondLocked(DM, dlci)
		return
	}
	ch := m.newChannelLocked(dlci)
	m.accepted <- ch // the reader alone sends, and there is room
	m.respondLocked(UA, dlci)
	m.channelOpenLocked(ch)
}

// disconnectReceivedLocked handles DISC; on DLCI 0 it closes the multiplexer down as CLD does.
func (m *Mux) disconnectReceivedLocked(dlci byte) {
	if dlci == 0 {
		m.respondLocked(UA, 0)
		m.peerClosedLocked()
		return
	}
	ch := m.channelLocked(dlci)
	if ch == nil {
		m.respondLocked(DM, dlci)
		return
	}
	m.respondLocked(UA, dlci)
	if !ch.closing { // else both close, and our DISC has its own answer
		m.endChannelLocked(ch, errDisconnected)
	}
}

// refusalReceivedLocked handles DM: the peer does not have that channel.
func (m *Mux) refusalReceivedLocked(dlci byte) {
	if m.settleLocked(exchangeKey{frame: SABM, dlci: dlci}, ErrRefused) {
		return
	}
	if m.settleLocked(exchangeKey{frame: DISC, dlci: dlci}, nil) {
		return
	}
	if dlci == 0 && m.settleLocked(exchangeKey{msg: msgCLD}, nil) {
		return
	}
	if dlci == 0 && m.state == open {
		m.endLocked(ErrPeerClosed)
		return
	}
	if ch := m.channelLocked(dlci); ch != nil {
		m.endChannelLocked(ch, errDisconnected)
	}
}
