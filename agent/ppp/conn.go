package ppp

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"minato/agent/ppp/hdlc"
)

const (
	// frameSlack is what a frame has beyond the packet: header, FCS, and a little for peers that take the MRU less seriously.
	frameSlack = 64
	// noCarrierSilence is how long the line is silent after NO CARRIER in an unfinished frame before that is the modem speaking.
	noCarrierSilence = 250 * time.Millisecond
	// lastWords is how long the port may take for what is queued when the link ends, and a peer that was found dead for its good-bye.
	lastWords = 250 * time.Millisecond
)

// Conn is one link. Make it with New, then call Run once.
type Conn struct {
	port    io.ReadWriteCloser
	cfg     Config
	in      *reader
	out     *writer
	stats   counters
	silence time.Duration // after NO CARRIER in an unfinished frame
	random  func() uint32 // magic numbers
	ready   chan struct{}

	mu     sync.Mutex // guards what follows
	params Params
	up     bool // ready is closed
}

// New prepares a link over port: a tty in data mode, a PTY's master, a CMUX channel, a net.Pipe. Run closes port when it ends,
// which must make a blocked Read, WriteTo or Write return. A port that is an io.WriterTo is read through WriteTo (one call a
// chunk, no copy); one that is an Unreader gets back what follows PPP.
func New(port io.ReadWriteCloser, cfg Config) *Conn {
	cfg = cfg.withDefaults()
	c := &Conn{port: port, cfg: cfg, silence: noCarrierSilence, random: rand.Uint32, ready: make(chan struct{})}
	c.out = newWriter(port, &c.stats)
	decoder := hdlc.NewDecoder(max(cfg.MRU, defaultMRU) + frameSlack)
	decoder.ACCM = cfg.ACCM
	decoder.NoCarrier = cfg.Server == nil // a modem's host does not say it
	c.in = &reader{
		port: port, decoder: decoder, counters: &c.stats,
		frames: make(chan received, maxPending), suspect: make(chan struct{}, 1),
	}
	return c
}

func (cfg Config) withDefaults() Config {
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.MRU <= 0 || cfg.MRU > 0xffff {
		cfg.MRU = defaultMRU
	}
	cfg.MRU = max(cfg.MRU, minMRU)
	if cfg.EchoFailures <= 0 {
		cfg.EchoFailures = 3
	}
	if cfg.RestartInterval <= 0 {
		cfg.RestartInterval = restartPeriod
	}
	if cfg.Server != nil && cfg.Server.Name == "" {
		s := *cfg.Server
		s.Name = defaultChallengeName
		cfg.Server = &s
	}
	return cfg
}

// Run negotiates and keeps the link until it ends. On cancel it sends Terminate-Request, waits for the answer at most two
// restart intervals, and returns nil. A peer that answers no echo is told as well, and not waited for.
func (c *Conn) Run(ctx context.Context) error {
	activation, cancel := context.WithCancel(ctx)
	defer cancel()
	l := newLink(c.cfg, c.out, c.in, &c.stats, c.random, c.opened)

	readErr, writeErr := make(chan error, 1), make(chan error, 1)
	go func() { readErr <- c.in.run() }()   // ends when the port is closed, or data mode ends
	go func() { writeErr <- c.out.run() }() // ends by closeQueue, or when the port is closed

	end := c.loop(ctx, activation, l, readErr, writeErr)
	cancel()
	c.finish(end, readErr, writeErr)
	if l.bearer != nil {
		l.bearer.wait()
	}
	if ctx.Err() != nil {
		return nil
	}
	return end.err
}

// ending is how the event loop ended.
type ending struct {
	err            error
	sign           []byte // the line from NO CARRIER on
	reader, writer bool   // these goroutines have returned already
}

// loop is the event loop: everything that changes the link's state happens here.
func (c *Conn) loop(ctx, activation context.Context, l *link, readErr, writeErr <-chan error) ending {
	defer c.account(l)
	l.start()
	silence := stoppedTimer()
	defer silence.Stop()
	farewell := stoppedTimer() // of a peer that answers no echo: it is told, and hardly ever answers that
	defer farewell.Stop()
	cancelled := ctx.Done()
	var bearerDone chan granted
	var heldTimer <-chan time.Time
	if l.bearer != nil {
		bearerDone, heldTimer = l.bearer.done, l.bearer.timer.C
	}
	defer l.stopTimers()
	for !l.finished {
		select {
		case <-cancelled:
			cancelled = nil
			l.fail(ctx.Err())
		case f := <-c.in.frames:
			l.receive(activation, f)
		case <-l.lcp.timer.C:
			l.lcp.timeout()
		case <-l.ipcp.timer.C:
			l.ipcp.timeout()
		case <-l.authTimer.C:
			l.auth.timeout()
		case <-l.echo.timer.C:
			if l.echo.due() {
				l.sendEcho()
			} else {
				l.fail(ErrDeadLink)
				farewell.Reset(lastWords)
			}
		case <-farewell.C:
			return ending{err: l.cause}
		case g := <-bearerDone:
			l.bearerReady(g)
		case <-heldTimer:
			l.answerHeld()
		case <-c.in.suspect:
			silence.Reset(c.silence)
		case <-silence.C:
			if sign, ended := c.in.silent(); ended {
				return ending{err: l.ended(ErrNoCarrier), sign: sign}
			}
		case err := <-readErr:
			return c.lineEnded(activation, l, err)
		case err := <-writeErr:
			return ending{err: l.ended(fmt.Errorf("writing to the PPP port: %w", err)), writer: true}
		}
		l.settle()
		c.account(l)
	}
	return ending{err: l.cause}
}

// lineEnded handles the last frames before the end of the line, since they may say why it ended.
func (c *Conn) lineEnded(ctx context.Context, l *link, err error) ending {
	for len(c.in.frames) > 0 && !l.finished {
		l.receive(ctx, <-c.in.frames)
		l.settle()
	}
	if errors.Is(err, errStopReading) {
		sign, _ := c.in.stop()
		return ending{err: l.ended(ErrNoCarrier), sign: sign, reader: true}
	}
	select {
	case <-c.in.suspect:
	default:
	}
	if sign, ended := c.in.silent(); ended { // no line is more silent than one that has gone
		return ending{err: l.ended(ErrNoCarrier), sign: sign, reader: true}
	}
	if l.finished {
		return ending{err: l.cause, reader: true}
	}
	return ending{err: l.ended(fmt.Errorf("reading from the PPP port: %w", err)), reader: true}
}

// finish closes the port and gives back what is not PPP's.
func (c *Conn) finish(end ending, readErr, writeErr <-chan error) {
	c.in.ipOpen.Store(false)
	inData := !end.writer && !end.reader && end.sign == nil // the line still takes frames
	c.out.closeQueue(inData)
	if inData {
		patience := time.NewTimer(lastWords)
		defer patience.Stop()
		select {
		case <-writeErr:
			end.writer = true
		case <-patience.C:
		}
	}
	unreader, _ := c.port.(Unreader)
	unread := func(p []byte) {
		if unreader != nil && len(p) > 0 {
			unreader.Unread(p)
		}
	}
	unread(end.sign)
	rest, stopped := c.in.stop()
	unread(rest) // before Close, so that what the port still has comes after it
	c.port.Close()
	if !end.writer {
		<-writeErr
	}
	if !end.reader {
		<-readErr
	}
	if !stopped {
		rest, _ = c.in.stop()
		unread(rest)
	}
	unread(c.in.late)
	c.out.mu.Lock()
	c.out.setIPLocked(defaultFraming, 0)
	c.out.mu.Unlock()
}

// account publishes what the negotiators counted.
func (c *Conn) account(l *link) {
	for _, n := range []*negotiator{l.lcp, l.ipcp} {
		c.stats.malformed.Add(n.malformed)
		c.stats.rejected.Add(n.rejected)
		n.malformed, n.rejected = 0, 0
	}
}

// opened is called by the event loop each time that IPCP opens. Packets may be sent, and Ready is told, once our own last word
// in IPCP is on the line. A client whose parameters changed cannot go on: the IP stack on the link has the first ones.
func (c *Conn) opened(p Params, f framing) error {
	c.mu.Lock()
	old := c.params
	if c.cfg.Server == nil && old.Local.IsValid() && (p.Local != old.Local || p.MTU != old.MTU || !slices.Equal(p.DNS, old.DNS)) {
		c.mu.Unlock()
		return fmt.Errorf("IPCP: the network changed the address from %v to %v, the DNS servers from %v to %v, the MTU from %d to %d",
			old.Local, p.Local, old.DNS, p.DNS, old.MTU, p.MTU)
	}
	c.params = p
	c.mu.Unlock()
	c.cfg.Logger.Info("PPP is up", "local", p.Local, "peer", p.Peer, "dns", p.DNS, "mtu", p.MTU)
	c.in.ipOpen.Store(true)
	c.out.enqueue(queued{then: func() {
		c.out.setIPLocked(f, p.MTU)
		c.mu.Lock()
		defer c.mu.Unlock()
		if !c.up {
			c.up = true
			close(c.ready)
		}
	}})
	return nil
}

// Ready is closed when IPCP is open for the first time.
func (c *Conn) Ready() <-chan struct{} { return c.ready }

// Params tells what was agreed on; call it after Ready.
func (c *Conn) Params() Params {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.params
}

// Attach sets who gets the peer's IP packets. deliver is called from one goroutine at a time and must not keep the slice; flush, which may be
// nil, follows the last of the packets that one read of the line brought. Packets that arrive before are dropped and counted.
func (c *Conn) Attach(deliver func(packet []byte), flush func()) {
	c.in.to.Store(&receiver{deliver, flush})
}

// WritePackets frames the packets and writes them with as few system calls as it can. Safe for concurrent use; it keeps
// no slice. While IPCP is not open they are dropped and counted.
func (c *Conn) WritePackets(packets [][]byte) error {
	if !c.in.ipOpen.Load() {
		c.stats.dropped.Add(uint64(len(packets)))
		return nil
	}
	return c.out.writePackets(packets)
}

// Stats may be called at any time.
func (c *Conn) Stats() Stats { return c.stats.snapshot() }
