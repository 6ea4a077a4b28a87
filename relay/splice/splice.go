// Package splice copies between two connections in both directions, as one relayed connection needs it: half-close is
// kept, bytes are counted while they flow, silence ends it, and a context cuts it with a reason.
//
//	client --upstream--> target
//	client <-downstream- target
//
// Between two *net.TCPConn the kernel moves the bytes (splice(2)) whenever there are many. Other connections get a pooled
// buffer, and only while bytes are flowing: a silent connection holds none. With a Parker it holds no goroutine either.
package splice

import (
	"context"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// Config of a Session. The zero value has no timeouts.
type Config struct {
	IdleTimeout  time.Duration // ends the session after this long with no byte either way; 0: never
	CloseTimeout time.Duration // as IdleTimeout, once one side has ended (half-closed); 0: IdleTimeout

	FromClient []byte // bytes already read from the client, sent to the target first; they count as up
	FromTarget []byte // bytes already read from the target, sent to the client first; they count as down

	Watch Watch // is told what happens

	// Parker watches the connections while they are silent, in place of a goroutine each. Then nobody but the session may close them. nil:
	// goroutines wait.
	Parker *Parker

	// Go runs what copies, and what ends the session, on a goroutine that nothing else waits for. nil: a new one each time.
	Go func(f func())

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

	Quiet  time.Duration // since a byte last moved: at the end, or when the first side ended if bytes have waited for the target since before that
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

	up, down direction
	copying  sync.WaitGroup // directions that have not ended, parked ones too
	start    time.Time
	moved    atomic.Int64 // when a byte last moved, in nanoseconds after start

	halfEnded atomic.Bool // one direction has ended in order
	stopping  atomic.Bool // the session is over: who finds this must not park

	done    func(Result) // called once, by finish
	stopCut func() bool  // lets go of the context

	mu       sync.Mutex    // guards what follows
	ended    End           // the first end; 0: none yet
	err      error         // of the first end
	inferred bool          // err was, unless the direction that was told it has said it since
	quiet    time.Duration // when the first side ended: since a byte last moved
	unsent   int64         // and what the target's machine had not acknowledged
	over     bool          // finish was started
	limit    time.Duration // of silence; 0: none
	silence  *time.Timer   // nil: there was no limit so far
}

// New prepares a session. To let the kernel splice, pass *net.TCPConn and no wrapper.
func New(client, target net.Conn, cfg Config) *Session {
	if cfg.CloseTimeout == 0 {
		cfg.CloseTimeout = cfg.IdleTimeout
	}
	if cfg.Go == nil {
		cfg.Go = func(f func()) { go f() }
	}
	s := &Session{client: client, target: target, cfg: cfg, start: time.Now()}
	s.up = direction{session: s, up: true, src: client, dst: target, first: cfg.FromClient, watch: cfg.Watch.First}
	s.down = direction{session: s, src: target, dst: client, first: cfg.FromTarget, watch: cfg.Watch.First}
	return s
}

// Stats may be read at any time, by any goroutine.
func (s *Session) Stats() Stats { return Stats{s.up.bytes.Load(), s.down.bytes.Load()} }

// Run is Start that waits for the result.
func (s *Session) Run(ctx context.Context) Result {
	result := make(chan Result, 1)
	s.Start(ctx, func(r Result) { result <- r })
	return <-result
}

// Start copies until both sides have ended, one broke, silence lasted too long or ctx ended. Then it closes both connections, waits for
// everything it started and calls done, from a goroutine of its own. It returns once the client has ended or is parked, so that what the
// client has sent already needs no other goroutine.
func (s *Session) Start(ctx context.Context, done func(Result)) {
	s.prepare(ctx, done)
	s.cfg.Go(s.down.copy) // ends, or parks, when target is silent; ends when client breaks, or both are closed
	s.up.copy()           // likewise, the other way
}

// prepare sets up what may end the session, and what the end needs.
func (s *Session) prepare(ctx context.Context, done func(Result)) {
	s.mu.Lock() // whatever ends it has to wait until all is set
	defer s.mu.Unlock()
	s.start, s.done = time.Now(), done
	s.limitLocked(s.cfg.IdleTimeout)
	s.stopCut = context.AfterFunc(ctx, func() { s.end(Cut, context.Cause(ctx)) })
	s.up.spot, s.down.spot = s.cfg.Parker.spot(&s.up), s.cfg.Parker.spot(&s.down)
	s.copying.Add(2)
}

// sinceMoved is how long no byte has moved.
func (s *Session) sinceMoved() time.Duration {
	return time.Since(s.start) - time.Duration(s.moved.Load())
}

// touch notes that a byte moved.
func (s *Session) touch() { s.moved.Store(int64(time.Since(s.start))) }
