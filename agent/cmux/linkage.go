package cmux

import (
	"context"
	"fmt"
	"net"
	"time"
)

func openingError(dlci byte, err error) error { return fmt.Errorf("opening DLCI %d: %w", dlci, err) }
func closingError(dlci byte, err error) error { return fmt.Errorf("closing DLCI %d: %w", dlci, err) }

// Open opens a channel, once the control channel is: the initiator's. It returns ErrRefused when the peer does not have the
// channel, and ErrNoAnswer.
func (m *Mux) Open(ctx context.Context, dlci byte) (*Channel, error) {
	if dlci == 0 || dlci > MaxDLCI {
		return nil, fmt.Errorf("opening DLCI %d: channels are 1 to %d", dlci, MaxDLCI)
	}
	if m.cfg.Role != Initiator {
		return nil, fmt.Errorf("opening DLCI %d: the initiator opens", dlci)
	}
	if err := m.awaitOpen(ctx); err != nil {
		return nil, openingError(dlci, err)
	}
	m.mu.Lock()
	if m.state != open {
		m.mu.Unlock()
		return nil, openingError(dlci, m.cause())
	}
	if m.channels[dlci] != nil {
		m.mu.Unlock()
		return nil, openingError(dlci, errInUse)
	}
	ch := m.newChannelLocked(dlci)
	done := make(chan error, 1)
	if m.cfg.Negotiate > 0 {
		value := appendParameters(nil, parameters{dlci: dlci, n1: m.cfg.Negotiate}, m.cfg.T1, m.cfg.N2)
		m.messageLocked(msgPN, dlci, value, func(error) { // without an agreement N1 stands
			if m.channels[dlci] != ch {
				done <- ch.err // ended meanwhile
				return
			}
			if n1 := m.agreed[dlci]; n1 > 0 {
				ch.n1 = n1
			}
			m.connectLocked(ch, done)
		})
	} else {
		m.connectLocked(ch, done)
	}
	m.mu.Unlock()

	var err error
	select {
	case err = <-done:
	case <-m.over:
		err = m.cause()
	case <-ctx.Done():
		err = ctx.Err()
		m.abandon(ch)
	}
	if err != nil {
		return nil, openingError(dlci, err)
	}
	return ch, nil
}

// connectLocked sends the channel's SABM.
func (m *Mux) connectLocked(ch *Channel, done chan<- error) {
	m.frameLocked(SABM, ch.dlci, func(err error) {
		switch {
		case m.channels[ch.dlci] != ch:
			err = ch.err // ended meanwhile
		case err != nil:
			m.endChannelLocked(ch, err)
		default:
			m.channelOpenLocked(ch)
		}
		done <- err
	})
}

// abandon gives up the opening of a channel, and tells the peer, who may have agreed just then.
func (m *Mux) abandon(ch *Channel) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.channels[ch.dlci] != ch {
		return
	}
	m.endChannelLocked(ch, net.ErrClosed)
	delete(m.exchanges, exchangeKey{msg: msgPN, dlci: ch.dlci})
	delete(m.exchanges, exchangeKey{frame: SABM, dlci: ch.dlci})
	m.sendLocked(AppendFrame(nil, Frame{DLCI: ch.dlci, Command: m.commandBit(), Type: DISC, PF: true}))
}

// Accept returns the next channel that the peer opened: the responder's.
func (m *Mux) Accept(ctx context.Context) (*Channel, error) {
	select {
	case ch := <-m.accepted:
		return ch, nil
	case <-m.over:
		return nil, fmt.Errorf("accepting a channel: %w", m.cause())
	case <-ctx.Done():
		return nil, fmt.Errorf("accepting a channel: %w", ctx.Err())
	}
}

// awaitOpen waits for the control channel.
func (m *Mux) awaitOpen(ctx context.Context) error {
	select {
	case <-m.ready:
		return nil
	case <-m.over:
		return m.cause()
	case <-ctx.Done():
		return ctx.Err()
	}
}

// cause is why there is no multiplexer.
func (m *Mux) cause() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.err != nil {
		return m.err
	}
	return ErrClosed
}

// Close closes the multiplexer down, from either end, and returns when Run has left the port, which is in AT command mode then.
// Data that is still queued is lost: close the channels first where that matters. ErrNoAnswer says that the peer did not confirm.
func (m *Mux) Close() error {
	m.mu.Lock()
	switch m.state {
	case open:
		m.closeDownLocked()
	case opening:
		m.endLocked(nil)
	}
	running := m.running
	m.mu.Unlock()
	if running {
		<-m.finished
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.err
}

// Ping asks the peer for a sign of life, by the Test command (section 5.4.6.3.4). A peer that does not know the command shows
// life too; one that has been reset and talks AT again does not answer, even if it echoes.
func (m *Mux) Ping(ctx context.Context) error {
	if err := m.awaitOpen(ctx); err != nil {
		return fmt.Errorf("testing the multiplexer: %w", err)
	}
	done := make(chan error, 1)
	m.mu.Lock()
	if m.state != open {
		m.mu.Unlock()
		return fmt.Errorf("testing the multiplexer: %w", m.cause())
	}
	m.messageLocked(msgTest, 0, []byte(pings[m.cfg.Role]), func(err error) {
		if err == errNotSupported {
			err = nil
		}
		done <- err
	})
	m.mu.Unlock()
	select {
	case err := <-done:
		if err != nil {
			return fmt.Errorf("testing the multiplexer: %w", err)
		}
		return nil
	case <-ctx.Done():
		return fmt.Errorf("testing the multiplexer: %w", ctx.Err())
	}
}

// Close sends what is queued, then DISC, and waits for the answer. Reads and writes that wait end at once.
func (c *Channel) Close() error {
	m := c.m
	m.mu.Lock()
	if c.closing || c.err != nil {
		m.mu.Unlock()
		return nil
	}
	c.closing, c.err = true, net.ErrClosed
	c.in, c.read = nil, 0
	c.readable.Broadcast()
	c.writable.Broadcast()
	stopped := c.stalled || m.held
	drained := c.sentLocked()
	m.mu.Unlock()

	if !stopped {
		patience := time.NewTimer(m.patience())
		defer patience.Stop()
		select {
		case <-drained:
		case <-patience.C:
		}
	}
	done := make(chan error, 1)
	m.mu.Lock()
	if m.channels[c.dlci] != c { // the peer, or the multiplexer's end, was faster
		m.mu.Unlock()
		return nil
	}
	c.out = nil
	m.frameLocked(DISC, c.dlci, func(err error) {
		if m.channels[c.dlci] == c {
			m.endChannelLocked(c, net.ErrClosed)
		}
		done <- err
	})
	m.mu.Unlock()
	if err := <-done; err != nil && m.live() {
		return closingError(c.dlci, err)
	}
	return nil
}

func (m *Mux) live() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.state != ended
}
