// Package splice copies between two connections in both directions, as one relayed connection needs it: half-close is
// kept, bytes are counted while they flow, silence ends it, and a context cuts it with a reason.
//
//	client --upstream--> target
//	client <-downstream- target
//
// Between two *net.TCPConn the kernel moves the bytes (splice(2)). Other connections get a pooled buffer, and only while
// bytes are flowing: a silent connection holds none.
package splice

import (
	"context"
	"net"
	"time"
)

// Config of a Session. The zero value has no timeouts.
type Config struct {
	IdleTimeout  time.Duration // ends the session after this long with no byte either way; 0: never
	CloseTimeout time.Duration // as IdleTimeout, once one side has ended (half-closed); 0: IdleTimeout

	FromClient []byte // bytes already read from the client, sent to the target first; they count as up
	FromTarget []byte // bytes already read from the target, sent to the client first; they count as down
}

// End is why a session ended.
type End int

// The ends.
const (
	ClientClosed End = iota + 1 // the client ended first, in order
	TargetClosed                // the target ended first, in order
	Idle                        // Config.IdleTimeout
	Cut                         // the context; Result.Err is its cause
	ClientError                 // the client's connection broke; Result.Err says how
	TargetError                 // the target's connection broke
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
}

// Session is one relayed connection.
type Session struct{}

// New prepares a session. To let the kernel splice, pass *net.TCPConn and no wrapper.
func New(client, target net.Conn, cfg Config) *Session { panic("splice: not built yet") }

// Run copies until both sides have ended, one broke, silence lasted too long or ctx ended. It closes both connections and
// waits for everything it started.
func (s *Session) Run(ctx context.Context) Result { panic("splice: not built yet") }

// Stats may be read at any time, by any goroutine.
func (s *Session) Stats() Stats { panic("splice: not built yet") }
