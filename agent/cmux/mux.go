package cmux

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"
)

// Unreader is a port that takes back octets which turned out not to be the multiplexer's: what follows the close-down. It may be
// called more than once, also after Close: what comes later comes after it on the line.
type Unreader interface{ Unread(p []byte) }

const (
	// toleratedInfo is what we take from a peer that thinks of another N1 than we do: a whole PPP packet and its framing.
	toleratedInfo = 1600
	// lastWords is how long the port may take for the answer to the peer's close-down.
	lastWords = 250 * time.Millisecond
	// maxAccept bounds the channels that the peer opened and nobody asked for yet.
	maxAccept = 64
)

// state is where a Mux is. SABM and UA on DLCI 0 lead from opening to open; Close from there to closing; CLD, DISC on DLCI 0, and
// whatever breaks the line, to ended.
type state int

const (
	opening state = iota
	open
	closing
	ended
)

// Mux is one end of the multiplexer. Make it with New, then call Run once.
type Mux struct {
	port    io.ReadWriteCloser
	cfg     Config
	decoder *Decoder // the reader's, and Stats': guarded by mu
	deliver func(Frame) bool

	ready    chan struct{} // closed when the control channel opens
	over     chan struct{} // closed when state is ended
	finished chan struct{} // closed when Run has left the port
	accepted chan *Channel
	kick     chan struct{} // the exchanges changed: Run sets its timer anew

	mu         sync.Mutex
	work       sync.Cond // the writer has something to do
	state      state
	running    bool
	err        error // why it ended; nil after Close
	channels   [MaxDLCI + 1]*Channel
	agreed     [MaxDLCI + 1]int // N1 by PN for the channel's next opening; 0: none
	exchanges  map[exchangeKey]*exchange
	control    []byte // frames that go before the channels' turns
	turn       int    // the channel that had the last turn
	held       bool   // the peer sent FCoff
	peerClosed bool   // the peer sent CLD while we were closing
	hurry      bool   // the writer ends once control is out
	tail       []byte // what followed the close-down
	stats      Stats
}

// New prepares a multiplexer over port, which must be past the modem's OK to AT+CMUX: a tty, a PTY's master, a line in data mode,
// a net.Pipe. Run closes port when it ends, which must make a blocked Read, WriteTo or Write return. A port that is an
// io.WriterTo is read through WriteTo; one that is an Unreader gets back what follows the multiplexer.
func New(port io.ReadWriteCloser, cfg Config) *Mux {
	cfg = cfg.withDefaults()
	m := &Mux{
		port: port, cfg: cfg,
		decoder:   NewDecoder(max(cfg.N1, cfg.Negotiate, toleratedInfo)),
		ready:     make(chan struct{}),
		over:      make(chan struct{}),
		finished:  make(chan struct{}),
		accepted:  make(chan *Channel, maxAccept),
		kick:      make(chan struct{}, 1),
		exchanges: make(map[exchangeKey]*exchange),
	}
	m.work.L, m.deliver = &m.mu, m.frameReceivedLocked
	return m
}

// Ready is closed when the control channel is open.
func (m *Mux) Ready() <-chan struct{} { return m.ready }

// Run keeps the multiplexer until it ends: with nil after cancel and after Close, with ErrPeerClosed when the peer closed it.
// On cancel an initiator closes the multiplexer down first, so that the modem does not stay in it; a responder just leaves, as a
// modem does that loses its power.
func (m *Mux) Run(ctx context.Context) error {
	m.mu.Lock()
	if m.running || m.state == ended {
		m.mu.Unlock()
		return fmt.Errorf("running the multiplexer: %w", ErrClosed)
	}
	m.running = true
	if m.cfg.Role == Initiator {
		m.openControlLocked()
	}
	m.mu.Unlock()
	defer close(m.finished)

	readErr, writeErr := make(chan error, 1), make(chan error, 1)
	go func() { readErr <- m.read() }()   // ends when the port is closed, or the peer closed down
	go func() { writeErr <- m.write() }() // ends when it is told to hurry, or when the port is closed

	m.loop(ctx, readErr, writeErr)
	m.leave(readErr, writeErr)
	m.mu.Lock()
	defer m.mu.Unlock()
	if ctx.Err() != nil && !errors.Is(m.err, ErrPeerClosed) {
		return nil
	}
	return m.err
}

// loop is Run's clock: it repeats what got no answer, until the multiplexer has ended. The ends of reader and writer are put
// back for leave.
func (m *Mux) loop(ctx context.Context, readErr, writeErr chan error) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	cancelled := ctx.Done()
	for {
		select {
		case <-m.over:
			return
		case <-cancelled:
			cancelled = nil
			m.cancel()
		case err := <-readErr:
			readErr <- err
			m.end(fmt.Errorf("reading from the multiplexer's port: %w", err))
		case err := <-writeErr:
			writeErr <- err
			m.end(fmt.Errorf("writing to the multiplexer's port: %w", err))
		case <-m.kick:
			m.setTimer(timer)
		case <-timer.C:
			m.setTimer(timer)
		}
	}
}

func (m *Mux) setTimer(timer *time.Timer) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if due, ok := m.expireLocked(time.Now()); ok {
		timer.Reset(time.Until(due))
	} else {
		timer.Stop()
	}
}

// cancel begins what Run does when its context ends.
func (m *Mux) cancel() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.cfg.Role == Initiator && m.state == open {
		m.closeDownLocked()
	} else if m.state != closing {
		m.endLocked(nil)
	}
}

// leave lets the writer say the last words, gives back what is not the multiplexer's, and closes the port.
func (m *Mux) leave(readErr, writeErr <-chan error) {
	m.mu.Lock()
	m.hurry = true
	m.work.Broadcast()
	m.mu.Unlock()

	written := false
	patience := time.NewTimer(lastWords)
	defer patience.Stop()
	select {
	case <-writeErr:
		written = true
	case <-patience.C:
	}
	m.unread()
	m.port.Close()
	if !written {
		<-writeErr
	}
	<-readErr
	m.unread()
}

// unread gives back what came after the end.
func (m *Mux) unread() {
	m.mu.Lock()
	tail := m.tail
	m.tail = nil
	m.mu.Unlock()
	if u, ok := m.port.(Unreader); ok && len(tail) > 0 {
		u.Unread(tail)
	}
}

func (m *Mux) end(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.endLocked(err)
}

// endLocked ends the multiplexer; err is nil when this end wanted it.
func (m *Mux) endLocked(err error) {
	if m.state == ended {
		return
	}
	m.state, m.err = ended, err
	cause := err
	if err == nil {
		cause = ErrClosed
	}
	for _, ch := range m.channels {
		if ch != nil {
			m.endChannelLocked(ch, cause)
		}
	}
	for key := range m.exchanges {
		m.settleLocked(key, cause)
	}
	close(m.over)
	if err != nil {
		m.cfg.Logger.Info("multiplexer ended", "err", err)
	} else {
		m.cfg.Logger.Info("multiplexer closed")
	}
}
