package atline

import (
	"context"
	"io"
	"sync"
)

// maxReply bounds the information lines of one command; +CLAC lists and phone books stay below it. What exceeds it is lost.
const maxReply = 256 << 10

// A shim is what github.com/warthog618/modem/at takes for the modem. Its Write sends a command, and its Read gives only what
// the line decided to be the reply. It is needed because that package owns its reader for ever, lets unsolicited lines into
// replies, and knows no data mode.
type shim struct {
	line *Line

	mu     sync.Mutex // guards what follows
	more   sync.Cond
	buf    []byte
	closed bool
	ctx    context.Context // of the command under way
	cmd    *pending        // that command
	failed bool            // a write failed: the sender's state is not known
}

func newShim(l *Line) *shim {
	s := &shim{line: l, ctx: context.Background()}
	s.more.L = &s.mu
	return s
}

// Write sends a command line. It takes off the LF that the sender adds: a line ends in S3 alone (V.250, 5.2.1), and a character
// after a dial may abort it (5.6.1). Only now may a line be the reply: one that came sooner would be lost in the sender, which
// would wait for ever.
func (s *shim) Write(p []byte) (int, error) {
	n := len(p)
	if n >= 2 && p[n-2] == '\r' && p[n-1] == '\n' {
		p = p[:n-1]
	}
	s.mu.Lock()
	ctx, cmd := s.ctx, s.cmd
	s.mu.Unlock()
	if s.line.expect(cmd) {
		p = append([]byte(abandon), p...)
	}
	if err := s.line.write(ctx, p); err != nil {
		s.mu.Lock()
		s.failed = true
		s.mu.Unlock()
		return 0, err
	}
	return n, nil
}

// Read blocks until a reply line comes.
func (s *shim) Read(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.buf) == 0 && !s.closed {
		s.more.Wait()
	}
	if len(s.buf) == 0 {
		return 0, io.EOF
	}
	n := copy(p, s.buf)
	s.buf = s.buf[:copy(s.buf, s.buf[n:])]
	return n, nil
}

// put hands a line to the sender. It never blocks.
func (s *shim) put(line string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.buf = append(append(s.buf, line...), '\r', '\n')
	s.more.Signal()
}

func (s *shim) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	s.more.Broadcast()
}
