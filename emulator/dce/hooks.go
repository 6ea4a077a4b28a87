package dce

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
)

// Hook is where a fault takes hold of a modem's command lines, on all of its ports. A nil function does nothing. Each is called on
// the port's own goroutine; several ports may be at it at once.
type Hook struct {
	// Heard is given the bytes of the command state as they come, and gives those that the modem hears. It may change b in place.
	Heard func(p PortRef, b []byte) []byte

	// Refuse is given a complete command line without its AT; when it is true the line is answered with ERROR and not carried out.
	Refuse func(p PortRef, line string) bool

	// Reply is given what a command line is answered with, the echo included, and gives what goes on the line in its place. It may
	// take until ctx ends. CONNECT does not come here: what follows it is not the command interpreter's.
	Reply func(ctx context.Context, p PortRef, line string, reply []byte) []byte

	Echo bool // commands are echoed, whatever E says
}

// PortRef tells the ports of a modem apart; it is comparable.
type PortRef struct{ p *port }

// Hook puts h after those that are there. remove takes it out.
func (m *Modem) Hook(h Hook) (remove func()) { return m.hooks.push(h) }

// stack is a list that is read often and without a lock.
type stack[T any] struct {
	mu   sync.Mutex // held by writers
	list atomic.Pointer[[]*T]
}

func (s *stack[T]) push(v T) (remove func()) {
	s.change(func(list []*T) []*T { return append(list, &v) })
	return func() {
		s.change(func(list []*T) []*T { return slices.DeleteFunc(list, func(p *T) bool { return p == &v }) })
	}
}

func (s *stack[T]) change(f func([]*T) []*T) {
	s.mu.Lock()
	defer s.mu.Unlock()
	next := f(slices.Clone(s.all()))
	s.list.Store(&next)
}

// all must not be changed.
func (s *stack[T]) all() []*T {
	if list := s.list.Load(); list != nil {
		return *list
	}
	return nil
}

// heard lets the hooks take away what the modem does not hear.
func (p *port) heard(hooks []*Hook, b []byte) []byte {
	for _, h := range hooks {
		if h.Heard != nil {
			b = h.Heard(PortRef{p}, b)
		}
	}
	return b
}

func (p *port) refused(hooks []*Hook, line string) bool {
	for _, h := range hooks {
		if h.Refuse != nil && h.Refuse(PortRef{p}, line) {
			return true
		}
	}
	return false
}

// replied lets the hooks change an answer.
func (p *port) replied(ctx context.Context, hooks []*Hook, line string, reply []byte) []byte {
	for _, h := range hooks {
		if h.Reply != nil {
			reply = h.Reply(ctx, PortRef{p}, line, reply)
		}
	}
	return reply
}

func echoes(hooks []*Hook) bool {
	return slices.ContainsFunc(hooks, func(h *Hook) bool { return h.Echo })
}

// onliner is a line that wants to know whether it carries a data call.
type onliner interface{ Online(on bool) }

// lineOnline tells the line once CONNECT is on it.
func (p *port) lineOnline(ctx context.Context) {
	if l, ok := p.line.(onliner); ok {
		p.out.drained(ctx)
		l.Online(true)
	}
}

func (p *port) lineOffline() {
	if l, ok := p.line.(onliner); ok {
		l.Online(false)
	}
}

// drained waits until all that was sent is on the line, or ctx ends.
func (o *output) drained(ctx context.Context) {
	defer context.AfterFunc(ctx, func() {
		o.mu.Lock()
		defer o.mu.Unlock()
		o.changed.Broadcast()
	})()
	o.mu.Lock()
	defer o.mu.Unlock()
	for !o.closed && ctx.Err() == nil && (o.busy || len(o.backlog) > 0) {
		o.changed.Wait()
	}
}
