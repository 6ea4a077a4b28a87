package dce

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"minato/agent/ppp"
)

// hangUpKind is how a call ends from our side.
type hangUpKind int

const (
	hangUpPolite hangUpKind = iota // PPP says Terminate-Request, then NO CARRIER
	hangUpHard                     // PPP stops dead, then NO CARRIER
	hangUpLocal                    // ATH: PPP stops dead, and OK says it all
	hangUpDTR                      // the user is gone: nothing to say
)

// carrierHold is how long a channel of a multiplexer keeps its carrier after a link that ended in agreement. A Linux host takes the
// terminal away from its programs as soon as DCD falls, with all that they have not read: the Terminate-Ack must have reached them. A
// modem takes that time anyway, to give the bearer back.
const carrierHold = 300 * time.Millisecond

// lostBytes bounds what is thrown away at the end of a call: some PTY buffers full.
const lostBytes = 256 << 10

// call is one data call of a port.
type call struct {
	p      *port
	cid    int
	conn   *ppp.Conn
	data   *dataPort
	cancel context.CancelFunc
	done   chan struct{} // closed at the end of run
	leave  chan struct{} // an escape is handed over: serve's goroutine has the line
	back   chan struct{} // ATO: the data port has it again

	quiet   atomic.Bool   // no NO CARRIER
	agreed  atomic.Bool   // we have acknowledged the user's Terminate-Request
	hurry   chan struct{} // closed when the carrier is to fall at once
	hurried sync.Once
	escaped bool // guarded by p.mu: online command state
}

// online carries a call, new or resumed, and returns when the line is serve's again.
func (p *port) online(ctx context.Context, d dial) {
	p.mu.Lock()
	c := p.call
	p.mu.Unlock()
	if d.resume {
		if c == nil { // it ended between the command and now; NO CARRIER waits for the answer to end
			p.release(nil)
			return
		}
		select {
		case c.back <- struct{}{}:
		case <-c.done:
			p.release(nil)
			return
		}
	} else {
		c = p.newCall(ctx, d.cid)
	}
	select {
	case <-c.leave:
		s := p.settings()
		p.release([]byte(resultOK.format(&s, "")))
	case <-c.done:
	}
	p.readDeadline(time.Time{})
}

func (p *port) newCall(ctx context.Context, cid int) *call {
	ctx, cancel := context.WithCancel(ctx)
	c := &call{p: p, cid: cid, cancel: cancel, done: make(chan struct{}), leave: make(chan struct{}), back: make(chan struct{}), hurry: make(chan struct{})}
	c.data = newDataPort(c)
	cfg := p.m.personality.PPP
	server := &ppp.Server{Name: cfg.Name.Value, Activate: c.activate, Faults: p.m.serverFaults}
	switch cfg.Auth.Value {
	case "pap":
		server.Auth = ppp.AuthPAP
	case "chap":
		server.Auth = ppp.AuthCHAP
	}
	c.conn = ppp.New(c.data, ppp.Config{Server: server, Logger: p.log})
	p.mu.Lock()
	p.call, p.reserved = c, false
	gone := p.ending || !p.dtr && p.set.d == 2 // DTR fell behind the command line
	if !p.dtr && p.set.d == 1 {
		c.data.escapeLocked()
	}
	p.mu.Unlock()
	if gone {
		c.hangUp(hangUpHard)
	}
	go c.run(ctx) // ends with the PPP link; Serve's deferred hangUp waits for it
	return c
}

// run carries the PPP link to its end and gives the line back to commands.
func (c *call) run(ctx context.Context) {
	p := c.p
	p.log.Info("data call began", "cid", c.cid)
	p.showLine()
	p.m.traffic.began(c)
	p.m.tellEvent(Event{Type: "call", State: "began", Port: p.name, CID: c.cid})
	p.lineOnline(ctx)
	var watch sync.WaitGroup
	over := make(chan struct{})
	watch.Go(func() { c.tellReady(over) })
	if line, ok := p.line.(interface{ Speed() (int, error) }); ok {
		watch.Go(func() { c.watchSpeed(ctx, line.Speed) })
	}
	err := c.conn.Run(ctx)
	close(over)
	c.cancel()
	watch.Wait()
	c.data.Close()
	c.data.wait()
	c.discard()
	p.m.releaseContext(c.cid, c)
	c.holdCarrier()
	p.lineOffline()
	p.m.traffic.ended(c)
	p.m.tellEvent(Event{Type: "call", State: "ended", Port: p.name, CID: c.cid, Reason: errorText(err)})
	p.log.Info("data call ended", "cid", c.cid, "reason", err)

	p.mu.Lock()
	p.call = nil
	if !c.quiet.Load() {
		p.deferred = slices.Insert(p.deferred, 0, resultNoCarrier.format(&p.set, ""))
	}
	p.line.SetWriteDeadline(time.Time{})
	if !p.ending {
		p.line.SetReadDeadline(time.Time{})
		p.releaseLocked(nil)
	}
	p.mu.Unlock()
	p.showLine()
	close(c.done)
}

// discard loses what was on its way to the network: it goes down with the carrier, and is no command. Where the user hung up it is
// the next user's, who may be there as soon as the session is seen to end.
func (c *call) discard() {
	c.p.mu.Lock()
	defer c.p.mu.Unlock()
	if line, ok := c.p.line.(interface{ Discard(most int) }); ok && !c.escaped && !c.quiet.Load() {
		line.Discard(lostBytes)
	}
}

// activate is called by the PPP server when the peer wants an address.
func (c *call) activate(ctx context.Context, cred ppp.Credentials) (ppp.Lease, error) {
	s, err := c.p.m.activate(ctx, c.cid, cred, c)
	if err != nil {
		return ppp.Lease{}, err
	}
	air := &c.p.m.air
	c.conn.Attach(func(packet []byte) {
		if air.passes() {
			s.Gather(packet)
		}
	}, s.Flush)
	s.Attach(func(packets [][]byte) error {
		if packets = air.thin(packets); len(packets) == 0 {
			return nil
		}
		return c.conn.WritePackets(packets)
	})
	return s.Lease(), nil
}

// air is the radio path of packets and of the bytes that carry them.
type air struct {
	silent    atomic.Bool // packets are lost both ways
	uncovered atomic.Bool // and so they are without a cell
	losses    stack[int]  // or by chance, in per cent
	mute      atomic.Bool // the PPP server itself is deaf and dumb too
}

// hangUp ends the port's call, if it has one, and waits for its end.
func (p *port) hangUp(kind hangUpKind) {
	p.mu.Lock()
	c := p.call
	p.mu.Unlock()
	if c == nil {
		return
	}
	c.hangUp(kind)
	<-c.done
}

// holdCarrier keeps a channel's carrier for carrierHold, unless somebody hangs up.
func (c *call) holdCarrier() {
	if c.p.parent == nil || !c.agreed.Load() {
		return
	}
	hold := time.NewTimer(c.p.m.carrierHold)
	defer hold.Stop()
	select {
	case <-hold.C:
	case <-c.hurry:
	}
}

// terminate ends the call after a Terminate-Ack of ours.
func (c *call) terminate() {
	c.agreed.Store(true)
	c.data.Close()
	c.cancel()
}

func (c *call) hangUp(kind hangUpKind) {
	c.hurried.Do(func() { close(c.hurry) })
	if kind == hangUpLocal || kind == hangUpDTR {
		c.quiet.Store(true)
	}
	c.p.mu.Lock()
	escaped := c.escaped // then nobody would hear a Terminate-Request
	c.p.mu.Unlock()
	if kind != hangUpPolite || escaped {
		c.data.Close()
	}
	c.cancel()
}

// speedInterval is how often a call looks whether the user has set B0.
const speedInterval = 250 * time.Millisecond

// watchSpeed sees the user drop DTR by setting the line speed to zero, and raise it: on a pseudo-terminal nothing else tells.
// It ends with the call.
func (c *call) watchSpeed(ctx context.Context, speed func() (int, error)) {
	tick := time.NewTicker(speedInterval)
	defer tick.Stop()
	dropped := false
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		n, err := speed()
		switch {
		case err != nil || dropped == (n == 0):
		case n == 0:
			c.p.dropDTR()
			dropped = true
		default:
			c.p.seen()
			dropped = false
		}
	}
}

// errEnded is what the PPP engine reads and writes on a call that was hung up.
var errEnded = errors.New("the call was hung up")
