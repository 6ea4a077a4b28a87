package dce

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"sync"
	"time"

	"minato/emulator/pty"
)

// Line is what a port is made of: a pty.Port, a pty.Socket, one end of a net.Pipe. Read may return pty.ErrHangup for a fall of DTR.
// A line that also has TryWrite answers without a goroutine in between; one that has Speed is watched for B0.
type Line interface {
	io.ReadWriteCloser
	SetReadDeadline(t time.Time) error
	SetWriteDeadline(t time.Time) error
}

// port is one command interpreter. serve's goroutine owns what is not marked otherwise.
//
//	           D, +CGDATA                     +++
//	command ─────────────> online data ─────────────> online command
//	   ^                     │   ^────────── O ──────────│
//	   └── call ended, H ────┴───────────────────────────┘
type port struct {
	m    *Modem
	line Line
	name string
	base string // the personality's port that it is, or is a channel of
	dlci int    // of a multiplexer's channel; 0: it is none
	log  *slog.Logger
	out  *output

	asm     assembler
	entry   *textEntry // a command waits for text; nil: none does
	lineErr error      // came while a command waited
	done    time.Time  // of the last command line's result
	pending []byte     // came with CONNECT's command line or after PPP: to be read before the line

	mu       sync.Mutex
	set      settings // guarded by mu; written only by serve's goroutine and by a reset
	call     *call    // guarded by mu; nil in command state
	deferred []string // guarded by mu: unsolicited results, framed, that wait for the line (see unsolicited)
	reserved bool     // guarded by mu: a command line is being carried out, and its final result is not on the line
	asking   bool     // guarded by mu: text is being entered; false ends the entry
	ending   bool     // guarded by mu: reads are to end now
	dtr      bool     // guarded by mu
	dtrHeld  bool     // guarded by mu: DTR was taken off from outside
	mux      *muxMode // guarded by mu: the line carries channels

	parent *muxMode  // of a channel
	uart   *uartLine // nil: the line's speed means nothing
}

// Serve interprets the commands that come on line until the line ends or ctx does, and returns nil in both cases.
// name says which of the personality's ports it is. Serve does not close line.
func (m *Modem) Serve(ctx context.Context, line Line, name string) error {
	return m.serve(ctx, m.newPort(line, name))
}

func (m *Modem) newPort(line Line, name string) *port {
	p := &port{m: m, name: name, base: name, log: m.log.With("port", name), set: m.power(), asm: assembler{max: m.personality.Line.MaxLength.Value}}
	_, tty := line.(interface{ Speed() (int, error) })
	p.dtr = !tty // on a terminal the first byte shows that there is a user
	if u, ok := newUARTLine(line); ok && m.uart {
		u.rate.Store(int64(p.set.rate))
		p.uart, line = u, u
	}
	p.line, p.out = line, newOutput(line)
	return p
}

func (m *Modem) serve(ctx context.Context, p *port) error {
	line := p.line
	m.addPort(p)
	served, cancel := context.WithCancel(ctx)
	var owned sync.WaitGroup
	owned.Go(p.out.flush)                         // ends with out.close
	owned.Go(func() { <-served.Done(); p.end() }) // ends with Serve
	defer func() {
		m.removePort(p)
		m.traffic.left(p)
		cancel()
		p.hangUp(hangUpHard)
		p.out.close()
		line.SetWriteDeadline(time.Unix(1, 0)) // a blocked flush ends
		owned.Wait()
	}()

	buf := make([]byte, 4096)
	for {
		n, err := p.read(buf)
		switch {
		case errors.Is(err, pty.ErrHangup):
			p.dtrDropped()
		case ctx.Err() != nil || errors.Is(err, io.EOF) || errors.Is(err, os.ErrClosed):
			return nil
		case err != nil && !errors.Is(err, os.ErrDeadlineExceeded):
			return err
		default:
			p.commands(ctx, buf[:n])
		}
	}
}

// read gives what came early, or reads the line.
func (p *port) read(buf []byte) (int, error) {
	if len(p.pending) > 0 {
		n := copy(buf, p.pending)
		p.pending = p.pending[n:]
		return n, nil
	}
	if err := p.lineErr; err != nil {
		p.lineErr = nil
		return 0, err
	}
	n, err := p.line.Read(buf)
	if n > 0 {
		p.seen()
	}
	return n, err
}

// commands takes bytes of the command state. What a command line brings goes out in one write: echo, answer, and the unsolicited
// results that the command caused. A command that takes time lets go of the echo before.
func (p *port) commands(ctx context.Context, b []byte) {
	if p.m.deaf() {
		return
	}
	hooks := p.m.hooks.all()
	if len(hooks) > 0 {
		b = p.heard(hooks, b)
	}
	forced := echoes(hooks)
	var out []byte
	for i, c := range b {
		set := p.settings()
		var x *exchange
		var r result
		var line string
		if p.entry != nil && !p.asked() {
			p.entry = nil
		}
		if p.entry != nil {
			if set.echo {
				out = append(out, c)
			}
			body, ended, given := p.entry.feed(c, &set)
			if !ended {
				out = append(out, p.entry.prompt(c, &set)...)
				continue
			}
			done := p.entry.done
			p.entry = nil
			p.reserve()
			x = &exchange{ctx: ctx, p: p, m: p.m, out: out}
			r = done(x, body, given)
			x.flushInfo()
		} else {
			echo, ev, body := p.asm.feed(c, &set)
			if echo && (set.echo || forced) {
				out = append(out, c)
			}
			if ev == eventNone {
				continue
			}
			p.reserve()
			x = &exchange{ctx: ctx, p: p, m: p.m, out: out}
			r = resultError
			line = body
			if ev == eventLine && !p.refused(hooks, body) {
				r = x.line(body)
			}
		}
		set = p.settings()
		if r.text != nil {
			p.ask(r.text)
			out = append(x.out, set.crlf()+"> "...)
			if r.after != nil { // of the commands before it
				p.out.send(out)
				out = nil
				r.after()
			}
			continue
		}
		connect := p.m.personality.Line.Connect.Value
		out = append(x.out, r.format(&set, connect)...)
		p.done = time.Now()
		if r.call == nil && len(hooks) > 0 {
			out = p.replied(ctx, hooks, line, out)
		}
		if r.call == nil && r.mux == nil {
			p.release(out)
		} else { // the answer ends with the line given away: nothing gets in between
			p.out.send(out)
		}
		out = nil
		if r.after != nil {
			r.after()
		}
		if r.call != nil {
			p.pending = append(append([]byte(nil), b[i+1:]...), p.pending...)
			p.online(ctx, *r.call)
			return
		}
		if r.mux != nil {
			p.pending = append(append([]byte(nil), b[i+1:]...), p.pending...)
			r.mux(ctx)
			return
		}
	}
	p.out.send(out)
}

func (p *port) settings() settings {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.set
}

// change alters the settings; the registers are copied first, because readers hold the old map.
func (p *port) change(f func(s *settings)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.set.clone()
	f(&s)
	p.set = s
	if p.uart != nil {
		p.uart.rate.Store(int64(s.rate))
	}
}

// dtrDropped is the end of a user in command state (V.250 section 6.2.9).
func (p *port) dtrDropped() {
	p.userGone()
	p.out.discard()
	p.asm.state = lineIdle
	p.askFails()
	p.pending = nil
	if s := p.settings(); s.d == 2 {
		p.hangUp(hangUpDTR)
	}
}

// end makes reads return, now and from now on.
func (p *port) end() {
	p.mu.Lock()
	p.ending = true
	p.line.SetReadDeadline(time.Unix(1, 0))
	p.mu.Unlock()
	p.hangUp(hangUpHard)
}

// readDeadline sets when a read returns, unless the port is ending.
func (p *port) readDeadline(t time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.ending {
		p.line.SetReadDeadline(t)
	}
}
