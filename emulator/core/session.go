package core

import (
	"cmp"
	"context"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"minato/agent/netstack"
	"minato/agent/ppp"
)

// SessionInfo describes a PDN session.
type SessionInfo struct {
	ID                 string
	Addr               netip.Addr
	APN                string
	Since              time.Time
	BytesUp, BytesDown uint64
	Spoofed            uint64 // packets dropped because they did not come from Addr
	Malformed          uint64 // packets dropped because they were no whole IPv4 packets
	Isolated           uint64 // packets dropped because they went to another device
	Dropped            uint64 // packets that found a queue full, or no carrier
	Lost               uint64 // packets that the link's Shape lost
}

// Session is one PDN connection of one SIM. It is open until Close: by the modem, by a detach, by the next activation of the same
// SIM, or by the end of the network.
type Session struct {
	core  *Core
	sub   *subscriber
	id    string
	addr  netip.Addr
	since time.Time
	mtu   int // of packets both ways

	ctx     context.Context // ends first of all when the session does: dials are called off, the carrier stops
	cancel  context.CancelFunc
	gateway *netstack.Stack // the network's end of the connection; it ends with the session, and every connection with it
	down    downlink
	up      *pipe
	shaped  atomic.Bool // up has a reader: every packet goes through it from then on

	bytesUp, bytesDown                    atomic.Uint64
	spoofed, malformed, isolated, dropped atomic.Uint64

	once   sync.Once
	done   chan struct{}
	reason string // written before done is closed

	mu     sync.Mutex
	closed bool           // no dial may begin
	dials  sync.WaitGroup // those that have begun; Add only with mu held and while not closed
}

func newSession(c *Core, sub *subscriber, addr netip.Addr, id string) *Session {
	s := &Session{core: c, sub: sub, id: id, addr: addr, since: c.pool.now(), mtu: cmp.Or(sub.MTU, c.cfg.MTU), done: make(chan struct{})}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.down.pipe, s.up = newPipe(c.cfg.Rand), newPipe(c.cfg.Rand)
	return s
}

// Lease is the session's address and the network's DNS servers.
func (s *Session) Lease() ppp.Lease { return ppp.Lease{Addr: s.addr, DNS: s.core.cfg.DNS} }

// Done is closed at the session's end.
func (s *Session) Done() <-chan struct{} { return s.done }

// Reason tells why the session ended; call it after Done.
func (s *Session) Reason() string {
	select {
	case <-s.done:
		return s.reason
	default:
		return ""
	}
}

// Info may be called at any time.
func (s *Session) Info() SessionInfo {
	return SessionInfo{
		ID: s.id, Addr: s.addr, APN: s.sub.APN, Since: s.since,
		BytesUp: s.bytesUp.Load(), BytesDown: s.bytesDown.Load(),
		Spoofed: s.spoofed.Load(), Malformed: s.malformed.Load(), Isolated: s.isolated.Load(), Lost: s.up.lost.Load() + s.down.pipe.lost.Load(),
		Dropped: s.dropped.Load() + s.up.dropped.Load() + s.down.pipe.dropped.Load() + s.gateway.Stats().Dropped,
	}
}

// Close cuts the session's connections and frees the address. When it returns, no connection to the device is left, and a
// later one can only be to a new session. It may be called more than once; the first reason stays.
func (s *Session) Close(reason string) { s.once.Do(func() { s.close(reason) }) }

// close goes in this order: nothing new begins, what has begun ends, the address is freed, the end is told.
func (s *Session) close(reason string) {
	c := s.core
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.cancel()
	c.routesMu.Lock()
	delete(c.routes, s.addr)
	c.routesMu.Unlock()
	s.dials.Wait()
	s.gateway.Close()

	s.reason = reason
	c.mu.Lock()
	c.freeLocked(s.sub, s.addr)
	s.sub.session = nil
	c.mu.Unlock()
	close(s.done)
	c.log.Info("session closed", "session", s.id, "sim", s.sub.SIMID, "addr", s.addr, "reason", reason,
		"up", s.bytesUp.Load(), "down", s.bytesDown.Load())
}

func (s *Session) ending() bool { return s.ctx.Err() != nil }

// beginDial is false when the session has ended; otherwise endDial must follow, and the session does not end before.
func (s *Session) beginDial() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	s.dials.Add(1)
	return true
}

func (s *Session) endDial() { s.dials.Done() }
