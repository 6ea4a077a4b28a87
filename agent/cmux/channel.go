package cmux

import (
	"fmt"
	"io"
	"net"
	"sync"
)

var (
	_ io.ReadWriteCloser = (*Channel)(nil)
	_ io.WriterTo        = (*Channel)(nil)
)

const (
	// A channel whose user is slow tells the peer to wait from highWater on, and to go on below lowWater. What a peer may have sent
	// before it knows, which is as much as a line holds that is a socket, or sends although it knows, is kept up to maxBuffered and
	// dropped beyond it.
	highWater   = 16 << 10
	lowWater    = 4 << 10
	maxBuffered = 256 << 10
)

// Channel is one data link connection. Its methods may be called from several goroutines at once.
type Channel struct {
	m       *Mux
	dlci    byte
	changed chan struct{}
	writing sync.Mutex // held by Write: one caller's octets stay together

	// What follows is guarded by m.mu.
	readable sync.Cond // there are octets to read, or an end
	writable sync.Cond // there is room in out, or an end
	n1       int
	in       []byte // received, not yet read
	read     int    // how much of in is
	out      []byte // frames that wait for the channel's turn
	local    Signals
	remote   Signals
	told     bool          // the peer has sent MSC
	holding  bool          // we told the peer to wait
	stalled  bool          // the peer told us to
	touched  bool          // the peer has sent data
	closing  bool          // Close was called
	drained  chan struct{} // closed when out is taken; nil: nobody waits for it
	err      error         // why there is no more
}

func (m *Mux) newChannelLocked(dlci byte) *Channel {
	ch := &Channel{m: m, dlci: dlci, changed: make(chan struct{}, 1), n1: m.cfg.N1}
	if n1 := m.agreed[dlci]; n1 > 0 {
		ch.n1 = n1
	}
	// The host's DV has no circuit, and is set by convention.
	ch.local = Signals{RTC: true, RTR: true, DV: m.cfg.Role == Initiator}
	ch.readable.L, ch.writable.L = &m.mu, &m.mu
	m.channels[dlci] = ch
	return ch
}

// channelOpenLocked comes with the UA. Each end tells its signals before any data (section 5.4.6.3.7).
func (m *Mux) channelOpenLocked(ch *Channel) {
	m.cfg.Logger.Debug("channel is open", "dlci", ch.dlci, "n1", ch.n1)
	ch.tellLocked()
}

// endChannelLocked takes a channel out of the multiplexer. What was received can still be read.
func (m *Mux) endChannelLocked(ch *Channel, err error) {
	m.channels[ch.dlci], m.agreed[ch.dlci] = nil, 0
	delete(m.exchanges, exchangeKey{msg: msgMSC, dlci: ch.dlci})
	ch.out = nil
	if ch.err == nil {
		ch.err = err
	}
	if ch.drained != nil {
		close(ch.drained)
		ch.drained = nil
	}
	ch.readable.Broadcast()
	ch.writable.Broadcast()
	m.cfg.Logger.Debug("channel has ended", "dlci", ch.dlci, "err", err)
}

// DLCI is the channel's number.
func (c *Channel) DLCI() byte { return c.dlci }

// N1 is the longest information field that is sent on the channel.
func (c *Channel) N1() int { return c.n1 }

func (c *Channel) receiveLocked(info []byte) {
	c.touched = true
	if c.err != nil || len(info) == 0 {
		return
	}
	buffered := len(c.in) - c.read
	if buffered+len(info) > maxBuffered {
		c.m.stats.Overruns += uint64(len(info))
		return
	}
	if c.read > 0 && len(c.in)+len(info) > cap(c.in) {
		c.in = c.in[:copy(c.in, c.in[c.read:])]
		c.read = 0
	}
	c.in = append(c.in, info...)
	if buffered == 0 {
		c.readable.Broadcast()
	}
	if !c.holding && buffered+len(info) >= highWater {
		c.holding = true
		c.tellLocked()
	}
}

// takenLocked is called when the user has taken octets.
func (c *Channel) takenLocked() {
	if c.read == len(c.in) {
		c.in, c.read = c.in[:0], 0
	}
	if c.holding && len(c.in)-c.read <= lowWater && c.err == nil {
		c.holding = false
		c.tellLocked()
	}
}

// awaitLocked waits for octets to read.
func (c *Channel) awaitLocked() error {
	for c.read == len(c.in) {
		if c.err != nil {
			return c.readError()
		}
		c.readable.Wait()
	}
	return nil
}

// readError is io.EOF for all orderly ends but our own Close.
func (c *Channel) readError() error {
	switch c.err {
	case net.ErrClosed:
		return fmt.Errorf("reading from DLCI %d: %w", c.dlci, c.err)
	case errDisconnected, errRestarted, ErrClosed, ErrPeerClosed:
		return io.EOF
	}
	return fmt.Errorf("reading from DLCI %d: %w", c.dlci, c.err)
}

// Read returns what the peer sent. After the end of the channel, or of the multiplexer by either end, it returns io.EOF once all
// is read; after Close net.ErrClosed; and the multiplexer's error if that broke.
func (c *Channel) Read(p []byte) (int, error) {
	c.m.mu.Lock()
	defer c.m.mu.Unlock()
	if len(p) == 0 {
		return 0, nil
	}
	if err := c.awaitLocked(); err != nil {
		return 0, err
	}
	n := copy(p, c.in[c.read:])
	c.read += n
	c.takenLocked()
	return n, nil
}

// WriteTo gives what the peer sends to w, all that came since the last call in one piece and with no further copy, until the
// channel ends. A slow w holds up this channel only.
func (c *Channel) WriteTo(w io.Writer) (int64, error) {
	var total int64
	var spare []byte
	c.m.mu.Lock()
	defer c.m.mu.Unlock()
	for {
		if err := c.awaitLocked(); err != nil {
			if err == io.EOF {
				err = nil
			}
			return total, err
		}
		chunk := c.in
		from := c.read
		c.in, c.read = spare[:0], 0
		c.takenLocked()
		c.m.mu.Unlock()
		n, err := w.Write(chunk[from:])
		c.m.mu.Lock()
		total += int64(n)
		if err != nil {
			return total, err
		}
		spare = chunk
	}
}

// Write sends p in frames of at most N1 octets. What fits a turn goes to the port in one write, and Write does not wait for it;
// it waits for room while the peer, or the line, takes nothing.
func (c *Channel) Write(p []byte) (int, error) {
	c.writing.Lock()
	defer c.writing.Unlock()
	c.m.mu.Lock()
	defer c.m.mu.Unlock()
	written := 0
	for len(p) > 0 {
		need := min(framedSize(len(p), c.n1), turnSize)
		for c.err == nil && len(c.out) > 0 && len(c.out)+need > turnSize {
			c.writable.Wait()
		}
		if c.err != nil {
			return written, fmt.Errorf("writing to DLCI %d: %w", c.dlci, c.err)
		}
		n := c.queueLocked(p)
		p, written = p[n:], written+n
	}
	return written, nil
}

// Sent is closed once all that was written has its place on the line, before what any channel writes from now on; or there is no way
// for it any more.
func (c *Channel) Sent() <-chan struct{} {
	c.m.mu.Lock()
	defer c.m.mu.Unlock()
	return c.sentLocked()
}

func (c *Channel) sentLocked() <-chan struct{} {
	if c.drained != nil {
		return c.drained
	}
	drained := make(chan struct{})
	if len(c.out) == 0 {
		close(drained)
		return drained
	}
	c.drained = drained
	return drained
}

// queueLocked frames as much of p as the queue has room for, and at least one frame.
func (c *Channel) queueLocked(p []byte) int {
	m, n := c.m, 0
	for n < len(p) {
		info := p[n:min(n+c.n1, len(p))]
		if n > 0 && len(c.out)+len(info)+overhead(len(info)) > turnSize {
			break
		}
		c.out = AppendFrame(c.out, Frame{DLCI: c.dlci, Command: m.commandBit(), Type: UIH, Info: info})
		m.stats.FramesSent++
		n += len(info)
	}
	m.work.Signal()
	return n
}
