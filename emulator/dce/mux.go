package dce

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"minato/agent/cmux"
	"minato/emulator/pty"
)

// muxMode is a port in multiplexer mode (TS 27.010).
type muxMode struct {
	parameters string // as +CMUX? says
	cancel     context.CancelFunc

	mu    sync.Mutex
	ports map[*port]struct{} // the channels', guarded by mu
}

func muxCommands() []command {
	return []command{{name: "+CMUX", read: readMux, test: testMux, set: setMux}}
}

func testMux(x *exchange) result {
	x.info("+CMUX: " + x.m.personality.CMUX.Test.Value)
	return resultOK
}

// readMux tells of the mode that the port is in; before there is one, of what AT+CMUX=0 would give.
func readMux(x *exchange) result {
	facts := x.m.personality.CMUX
	switch {
	case x.p.parent != nil:
		x.info("+CMUX: " + x.p.parent.parameters)
	case !facts.Defaults.Value || facts.Channels.Value == 0:
		return cmeError(cmeNotAllowed)
	default:
		parameters, _, _ := facts.parameters(args{{text: "0", given: true}})
		x.info("+CMUX: " + parameters)
	}
	return resultOK
}

// parameters takes what +CMUX= was given: <mode>[,<subset>[,<port_speed>[,<N1>[,<T1>[,<N2>[,<T2>[,<T3>[,<k>]]]]]]]] (TS 27.007
// section 5.7). text has all of them; only the basic mode with UIH frames is there.
func (f CMUXFacts) parameters(a args) (text string, n1 int, ok bool) {
	values := []struct{ absent, lo, hi int }{
		{0, 0, 0}, {0, 0, 0}, {5, 0, 8}, {f.N1.Value, 1, f.MaxN1.Value}, {10, 1, 255}, {3, 0, 100}, {30, 2, 255}, {10, 1, 255}, {2, 1, 7},
	}
	for i, v := range values {
		n, ok := a.number(i, v.absent, v.lo, v.hi)
		if !ok {
			return "", 0, false
		}
		if i == 3 {
			n1 = n
		}
		text += fmt.Sprintf(",%d", n)
	}
	return text[1:], n1, a.at(0).given
}

// setMux is +CMUX=. The port changes its mode after OK.
func setMux(x *exchange, a args) result {
	facts := x.m.personality.CMUX
	text, n1, ok := facts.parameters(a)
	if !ok {
		return cmeError(cmeIncorrectParams)
	}
	x.p.mu.Lock()
	busy := x.p.call != nil
	x.p.mu.Unlock()
	if busy || x.p.parent != nil || facts.Channels.Value == 0 || len(a) > 9 {
		return cmeError(cmeNotAllowed)
	}
	r := resultOK
	r.mux = func(ctx context.Context) { x.p.multiplex(ctx, n1, text) }
	return r
}

// multiplex gives the line to the channels until the user closes the multiplexer down, or a reset. A modem that cannot leave the mode
// waits for the next to open it.
func (p *port) multiplex(ctx context.Context, n1 int, parameters string) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	mode := &muxMode{parameters: parameters, cancel: cancel, ports: map[*port]struct{}{}}
	p.mu.Lock()
	p.mux, p.reserved, p.deferred = mode, false, nil
	p.mu.Unlock()
	defer func() {
		p.mu.Lock()
		p.mux = nil
		p.mu.Unlock()
		p.readDeadline(time.Time{})
	}()
	p.log.Info("multiplexer mode began", "n1", n1)
	for {
		err := p.muxSession(ctx, mode, n1)
		p.log.Info("multiplexer ended", "reason", err)
		if !errors.Is(err, cmux.ErrPeerClosed) || p.m.personality.CMUX.Exit.Value {
			return
		}
	}
}

// muxSession is from one opening to the close-down.
func (p *port) muxSession(ctx context.Context, mode *muxMode, n1 int) error {
	highest := byte(p.m.personality.CMUX.Channels.Value)
	line := &muxLine{p: p, mode: mode}
	defer line.restore()
	mux := cmux.New(line, cmux.Config{Role: cmux.Responder, N1: n1, Accept: func(dlci byte) bool { return dlci <= highest }, Logger: p.log})
	ended := make(chan error, 1)
	go func() { ended <- mux.Run(ctx) }() // waited for below
	var channels sync.WaitGroup
	for {
		ch, err := mux.Accept(ctx)
		if err != nil {
			break
		}
		channels.Go(func() { p.serveChannel(ctx, mode, ch) })
	}
	err := <-ended
	channels.Wait()
	return err
}

// serveChannel makes a port of a channel. A pipe gives it the deadlines that a port needs.
func (p *port) serveChannel(ctx context.Context, mode *muxMode, ch *cmux.Channel) {
	ours, theirs := net.Pipe()
	line := &channelLine{Conn: theirs, ch: ch}
	c := p.m.newPort(line, fmt.Sprintf("%s.%d", p.name, ch.DLCI()))
	c.base, c.dlci, c.parent = p.base, int(ch.DLCI()), mode
	mode.mu.Lock()
	mode.ports[c] = struct{}{}
	mode.mu.Unlock()
	served := make(chan struct{})
	var owned sync.WaitGroup
	owned.Go(func() { ch.WriteTo(ours); ours.Close() }) // ends with the channel, or with ours
	owned.Go(func() { io.Copy(ch, ours) })              // ends with ours, or with the channel
	owned.Go(func() { c.watchSignals(ch, served) })     // ends with Serve
	p.m.serve(ctx, c)
	close(served)
	theirs.Close()
	ours.Close()
	ch.Close()
	owned.Wait()
	mode.mu.Lock()
	delete(mode.ports, c)
	mode.mu.Unlock()
}

// watchSignals takes the user's DTR from the channel's signals.
func (p *port) watchSignals(ch *cmux.Channel, served <-chan struct{}) {
	p.showLine()
	for {
		select {
		case <-served:
			return
		case <-ch.SignalsChanged():
			if on := ch.Signals().RTC; on != p.dtrOn() {
				p.setDTR(on)
			}
		}
	}
}

// channelLine is a port's end of a channel.
type channelLine struct {
	net.Conn
	ch *cmux.Channel
}

// Settle waits until the multiplexer has what was written. A pipe hands over an empty write, too: its reader is back from the one before.
func (l *channelLine) Settle() error {
	_, err := l.Conn.Write(nil)
	return err
}

// settle waits until what was sent has its place on the line before what any port sends from now on, but not longer than a user
// who reads makes it.
func (p *port) settle() {
	p.out.drain()
	l, ok := p.line.(*channelLine)
	if !ok {
		return
	}
	grace := time.NewTimer(writeGrace)
	defer grace.Stop()
	select {
	case <-l.ch.Sent():
	case <-grace.C:
	}
}

// SetCircuits tells the user DCD and RI. A channel that is gone has nobody to tell.
func (l *channelLine) SetCircuits(dcd, ri bool) {
	l.ch.SetSignals(cmux.Signals{RTC: true, RTR: true, IC: ri, DV: dcd})
}

// muxLine is a port's line as the multiplexer has it. Close gives it back.
type muxLine struct {
	p       *port
	mode    *muxMode
	closing atomic.Bool
}

// Read goes on after the last user has closed the port: nothing tells a modem to leave the mode but the multiplexer itself. The
// channels' calls see DTR fall.
func (l *muxLine) Read(b []byte) (int, error) {
	for {
		if l.closing.Load() {
			return 0, io.EOF
		}
		n, err := l.p.read(b)
		switch {
		case errors.Is(err, pty.ErrHangup):
			l.p.userGone()
			l.p.out.discard()
			for _, c := range l.mode.all() {
				c.setDTR(false)
				c.setDTR(true)
			}
		case errors.Is(err, os.ErrDeadlineExceeded):
			return 0, io.EOF
		default:
			return n, err
		}
	}
}

func (l *muxLine) Write(b []byte) (int, error) { return l.p.out.write(b) }

// Unread takes back what followed the close-down.
func (l *muxLine) Unread(b []byte) { l.p.pending = append(append([]byte(nil), b...), l.p.pending...) }

// Close ends reads and writes.
func (l *muxLine) Close() error {
	l.closing.Store(true)
	l.p.mu.Lock()
	defer l.p.mu.Unlock()
	l.p.line.SetReadDeadline(time.Unix(1, 0))
	l.p.line.SetWriteDeadline(time.Now().Add(writeGrace))
	return nil
}

// restore makes the line usable again.
func (l *muxLine) restore() {
	l.p.readDeadline(time.Time{})
	l.p.mu.Lock()
	defer l.p.mu.Unlock()
	if !l.p.ending {
		l.p.line.SetWriteDeadline(time.Time{})
	}
}

func (m *muxMode) all() []*port {
	m.mu.Lock()
	defer m.mu.Unlock()
	list := make([]*port, 0, len(m.ports))
	for p := range m.ports {
		list = append(list, p)
	}
	return list
}
