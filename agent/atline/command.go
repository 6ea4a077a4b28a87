package atline

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/warthog618/modem/at"
)

// pending is a command that was sent and has no final result yet. The line's mu guards it.
type pending struct {
	cmd    string
	parts  []part
	dial   bool          // CONNECT ends it
	hands  bool          // OK ends it and what follows is another protocol's
	quiet  bool          // takes no information lines: a resynchronisation, or +++
	shim   *shim         // nil for +++, which the sender does not know
	size   int           // of the information lines, so far
	result chan struct{} // closed at the end
	ended  bool
	final  string // the final result as the modem wrote it
	err    error  // why it was given up
	data   *Data  // after CONNECT
}

func newPending(cmd string, dial bool) *pending {
	return &pending{cmd: cmd, parts: parseParts(cmd), dial: dial, quiet: cmd == "", result: make(chan struct{})}
}

func (p *pending) finish(final string, err error) {
	if p.ended {
		return
	}
	p.ended, p.final, p.err = true, final, err
	close(p.result)
}

// Command sends AT and cmd ("+CSQ"), and returns the lines of the reply before its OK. It returns CMEError, CMSError or ErrError
// where the modem refuses, an error that is the context's where time runs out, and io.EOF when the port is gone (all wrapped).
// Dial commands are for Connect.
func (l *Line) Command(ctx context.Context, cmd string) ([]string, error) {
	if isDial(cmd) {
		return nil, fmt.Errorf("sending AT%s: a command that ends in data mode", Redact(cmd))
	}
	_, info, err := l.exec(ctx, newPending(cmd, false))
	return info, err
}

// Connect sends a command that ends in data mode (D*99***1#, +CGDATA="PPP",1, O), and returns the port from the first byte after
// the CONNECT line on, with that line's text. The modem's no is a ConnectError, or an error as of Command.
func (l *Line) Connect(ctx context.Context, cmd string) (*Data, string, error) {
	if !isDial(cmd) {
		return nil, "", fmt.Errorf("sending AT%s: not a command that ends in data mode", Redact(cmd))
	}
	p, _, err := l.exec(ctx, newPending(cmd, true))
	if err != nil {
		return nil, "", err
	}
	if p.data == nil {
		// It was the answer to an earlier command, which came late: ours is still to come.
		l.mu.Lock()
		l.dirty, l.noise, l.late = true, true, p
		l.owed++
		l.mu.Unlock()
		return nil, "", fmt.Errorf("AT%s: %w: %q", Redact(cmd), ErrNotConnected, p.final)
	}
	return p.data, p.final, nil
}

// exec waits for its turn, resynchronises where a reply may still be on its way, and runs one command.
func (l *Line) exec(ctx context.Context, p *pending) (*pending, []string, error) {
	cmd := p.cmd
	if strings.ContainsAny(cmd, "\r\n\x1a\x1b") {
		return nil, nil, fmt.Errorf("sending AT%q: control characters are not allowed", Redact(cmd))
	}
	if _, ok := ctx.Deadline(); !ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, l.cfg.Timeout)
		defer cancel()
	}
	release, err := l.acquire(ctx)
	if err != nil {
		return nil, nil, fmt.Errorf("sending AT%s: %w", Redact(cmd), err)
	}
	defer release()
	l.mu.Lock()
	late := l.dirty // and answers, if the resynchronisation ends well
	l.mu.Unlock()
	if err := l.resync(ctx); err != nil {
		return nil, nil, fmt.Errorf("sending AT%s: %w", Redact(cmd), err)
	}
	p, info, err := l.run(ctx, p)
	if late && err != nil && err == ctx.Err() {
		err = fmt.Errorf("%w: %w", ErrLate, err)
	}
	if errors.Is(err, ErrPrompt) {
		l.resync(ctx) // at once: this may be the last command. Where it fails, the next one tries again
	}
	if err != nil {
		return p, info, fmt.Errorf("AT%s: %w", Redact(cmd), err)
	}
	return p, info, nil
}

// acquire takes the turn.
func (l *Line) acquire(ctx context.Context) (release func(), err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	select {
	case l.turn <- struct{}{}:
		return func() { <-l.turn }, nil
	case <-l.done:
		return nil, io.EOF
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// run sends one command through the sender and waits for its end. The caller has the turn.
func (l *Line) run(ctx context.Context, p *pending) (*pending, []string, error) {
	l.mu.Lock()
	switch {
	case l.lost != nil:
		l.mu.Unlock()
		return p, nil, io.EOF
	case l.online:
		l.mu.Unlock()
		return p, nil, ErrOnline
	}
	sender, sh := l.at, l.shim
	p.shim = sh
	l.mu.Unlock()
	sh.mu.Lock()
	sh.ctx, sh.cmd = ctx, p
	sh.mu.Unlock()

	l.log.Debug("at", "sent", "AT"+Redact(p.cmd))
	given := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(given)
		l.giveUp(p, context.Cause(ctx))
		l.interrupt()
	})
	info, err := sender.Command(p.cmd)
	if !stop() {
		<-given
	}

	l.mu.Lock()
	defer l.mu.Unlock()
	if l.pending == p { // the write failed: no result will come for it
		l.pending = nil
		l.giveUpLocked(p, err)
	}
	sh.mu.Lock()
	failed := sh.failed
	sh.mu.Unlock()
	if failed && l.lost == nil {
		// Part of the command may be out, and an answer may be in the sender's pipeline: begin with a new one.
		sh.close()
		l.mu.Unlock()
		<-sender.Closed()
		l.mu.Lock()
		if l.lost == nil {
			l.renewLocked()
		}
	}
	switch {
	case p.err != nil:
		return p, info, p.err
	case parseResult(p.final) == resultCall:
		return p, info, at.ConnectError(p.final)
	case errors.Is(err, at.ErrClosed):
		return p, info, io.EOF
	}
	return p, info, err
}

// expect makes what comes from now on the reply to a command that is about to go out. It tells whether ESC has to go before it.
func (l *Line) expect(p *pending) (escape bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !p.ended && l.lost == nil {
		l.pending = p
	}
	escape = l.text && p.quiet
	l.text = l.text && !escape
	return escape
}

// giveUp ends a command whose time is over.
func (l *Line) giveUp(p *pending, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.giveUpLocked(p, err)
}

func (l *Line) giveUpLocked(p *pending, err error) {
	if p.ended {
		return
	}
	if l.pending == p {
		l.pending = nil
	}
	p.finish("", err)
	l.dirty = true
	l.owed++
	if !p.quiet {
		l.late, l.text = p, true
	}
	p.shim.put("ERROR") // so that the sender returns
}
