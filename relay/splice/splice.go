// Package splice copies between two connections in both directions, as one relayed connection needs it: half-close is
// kept, bytes are counted while they flow, silence ends it, and a context cuts it with a reason.
//
//	client --upstream--> target
//	client <-downstream- target
//
// Between two *net.TCPConn the kernel moves the bytes (splice(2)) whenever there are many. Other connections get a pooled
// buffer, and only while bytes are flowing: a silent connection holds none.
package splice

import (
	"context"
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// Config of a Session. The zero value has no timeouts.
type Config struct {
	IdleTimeout  time.Duration // ends the session after this long with no byte either way; 0: never
	CloseTimeout time.Duration // as IdleTimeout, once one side has ended (half-closed); 0: IdleTimeout

	FromClient []byte // bytes already read from the client, sent to the target first; they count as up
	FromTarget []byte // bytes already read from the target, sent to the client first; they count as down

	Watch Watch // is told what happens

	// CloseClient closes the client where the target broke, in place of Close: then the client has done nothing wrong, and a plain Close
	// would reset it if it has just written. Deadlines on the client are cleared before. nil: Close.
	CloseClient func(client net.Conn)
}

// Watch is told what happens in a session, on the goroutines that copy: its functions must be quick. Nil ones are not called.
type Watch struct {
	// First gets the first bytes of a direction before they are passed on, and those of the next writes while it answers true. It must not
	// keep or change them.
	First func(up bool, b []byte) (more bool)
	// Ended is called when a direction has ended in order.
	Ended func(up bool)
}

// End is why a session ended.
type End int

// The ends.
const (
	ClientClosed End = iota + 1 // the client ended first, in order
	TargetClosed                // the target ended first, in order
	Idle                        // Config.IdleTimeout
	Cut                         // the context; Result.Err is its cause
	ClientError                 // the client's connection broke first; Result.Err says how
	TargetError                 // the target's connection broke first; Result.Err says how
)

// String is the word for logs and the audit log.
func (e End) String() string {
	switch e {
	case ClientClosed:
		return "client closed"
	case TargetClosed:
		return "target closed"
	case Idle:
		return "idle"
	case Cut:
		return "cut"
	case ClientError:
		return "client error"
	case TargetError:
		return "target error"
	}
	return "unknown"
}

// Stats are the bytes delivered so far.
type Stats struct {
	Up   int64 // client to target
	Down int64 // target to client
}

// Result of a session.
type Result struct {
	Stats
	End      End
	Err      error // cause of Cut (context.Cause), error of ClientError and TargetError, else nil
	Duration time.Duration

	Quiet  time.Duration // at the end: since a byte last moved
	Unsent int64         // at the end: bytes that the target's machine has not acknowledged; 0 where the system cannot tell
}

// Session is one relayed connection.
//
//	        one side ends in order,            the other side ends too
//	both ways ------------------------> one way ----------------------> done: ClientClosed or TargetClosed
//	    |     or no longer takes bytes     |
//	    |                                  +-- CloseTimeout -> done: as the first end
//	    +-- IdleTimeout -> done: Idle
//
// From both, the context leads to Cut, and a connection that broke while it was read from ends the session at once.
type Session struct {
	client, target net.Conn
	cfg            Config

	up, down atomic.Int64
	start    time.Time
	moved    atomic.Int64 // when a byte last moved, in nanoseconds after start

	halfEnded atomic.Bool // one direction has ended in order
	closing   sync.Once
}

// New prepares a session. To let the kernel splice, pass *net.TCPConn and no wrapper.
func New(client, target net.Conn, cfg Config) *Session {
	if cfg.CloseTimeout == 0 {
		cfg.CloseTimeout = cfg.IdleTimeout
	}
	return &Session{client: client, target: target, cfg: cfg, start: time.Now()}
}

// Stats may be read at any time, by any goroutine.
func (s *Session) Stats() Stats { return Stats{s.up.Load(), s.down.Load()} }

// Run copies until both sides have ended, one broke, silence lasted too long or ctx ended. It closes both connections
// and waits for everything it started.
func (s *Session) Run(ctx context.Context) Result {
	s.start = time.Now()
	up := s.direction(true)
	down := s.direction(false)
	done := make(chan outcome, 2)
	var copying sync.WaitGroup
	copying.Go(func() { up.copy(done) })   // ends when client ends or target breaks, or both are closed
	copying.Go(func() { down.copy(done) }) // ends when target ends or client breaks, or both are closed
	end, err := s.supervise(ctx, up, done)
	quiet := time.Since(s.start) - time.Duration(s.moved.Load())
	left := unsent(s.target)
	if end == TargetError && s.cfg.CloseClient != nil {
		s.target.Close()
		s.interrupt(&copying)
		s.cfg.CloseClient(s.client)
	} else {
		s.close()
		copying.Wait()
	}
	return Result{s.Stats(), end, err, time.Since(s.start), quiet, left}
}

func (s *Session) direction(up bool) *direction {
	d := &direction{session: s, up: up, src: s.client, dst: s.target, first: s.cfg.FromClient, bytes: &s.up, watch: s.cfg.Watch.First}
	if !up {
		d.src, d.dst, d.first, d.bytes = s.target, s.client, s.cfg.FromTarget, &s.down
	}
	return d
}

// hearsay bounds the wait for the direction that was told an error which the other inferred: it may be a timeout and no reset.
const hearsay = time.Second

// supervise waits for the first reason to end, then for the other direction.
func (s *Session) supervise(ctx context.Context, up *direction, done <-chan outcome) (end End, err error) {
	limit := s.cfg.IdleTimeout
	silence := time.NewTimer(limit)
	defer silence.Stop()
	if limit == 0 {
		silence.Stop()
	}
	for {
		select {
		case o := <-done:
			if end != 0 {
				return overruled(end, err, o, up)
			}
			end, err = o.end(up)
			if o.inferred {
				limit = hearsay
				s.touch()
				silence.Reset(limit)
				continue
			}
			if o.read && err != nil {
				return end, err // nothing more can come from there, and nothing go there
			}
			if limit = s.cfg.CloseTimeout; limit > 0 {
				s.touch()
				silence.Reset(limit)
			}
		case <-ctx.Done():
			return Cut, context.Cause(ctx)
		case <-silence.C:
			left := limit - (time.Since(s.start) - time.Duration(s.moved.Load()))
			switch {
			case left > 0:
				silence.Reset(left)
			case end != 0:
				return end, err
			default:
				return Idle, nil
			}
		}
	}
}

// overruled is how a session ended whose directions ended as end and then as last. The kernel tells of a reset or a timeout once: where one
// direction heard of it, the other took it for an orderly end. (After an orderly end a reset is EPIPE.)
func overruled(end End, err error, last outcome, up *direction) (End, error) {
	second, why := last.end(up)
	sameSide := end == TargetClosed && second == TargetError || end == ClientClosed && second == ClientError
	if sameSide && errors.Is(why, syscall.ECONNRESET) || errors.Is(why, syscall.ETIMEDOUT) {
		return second, why
	}
	return end, err
}

// interrupt makes the copying let go of the client and waits for it. It is told again and again, since a copy in the middle of a burst sets
// deadlines of its own.
func (s *Session) interrupt(copying *sync.WaitGroup) {
	gone := make(chan struct{})
	go func() { copying.Wait(); close(gone) }() // ends before this function does
	again := time.NewTicker(burst / 10)
	defer again.Stop()
	for {
		s.client.SetDeadline(past) // if this fails the client is broken, and lets go by itself
		select {
		case <-gone:
			s.client.SetDeadline(time.Time{})
			return
		case <-again.C:
		}
	}
}

// touch notes that a byte moved.
func (s *Session) touch() { s.moved.Store(int64(time.Since(s.start))) }

// close closes both sides at the same time: a tls.Conn's Close may wait for a peer that takes no more bytes.
func (s *Session) close() {
	s.closing.Do(func() {
		var both sync.WaitGroup
		both.Go(func() { s.client.Close() })
		both.Go(func() { s.target.Close() })
		both.Wait()
	})
}
