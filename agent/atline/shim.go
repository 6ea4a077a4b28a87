package atline

import (
	"context"
	"io"
	"sync"
)

// maxReply bounds what waits for the command sender; +CLAC lists and phone books stay below it.
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
	failed bool            // a write failed: the sender's state is not known
}

func newShim(l *Line) *shim {
	s := &shim{line: l, ctx: context.Background()}
	s.more.L = &s.mu
	return s
}

// Write sends a command line. It takes off the LF that the sender adds: a line ends in S3 alone (V.250, 5.2.1), and a character
// after a dial may abort it (5.6.1).
func (s *shim) Write(p []byte) (int, error) {
	n := len(p)
	if n >= 2 && p[n-2] == '\r' && p[n-1] == '\n' {
		p = p[:n-1]
	}
	s.mu.Lock()
	ctx := s.ctx
	s.mu.Unlock()
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

// put hands a line to the sender. It never blocks; what exceeds maxReply is lost, except a final result.
func (s *shim) put(line string, final bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.buf)+len(line) > maxReply && !final {
		return
	}
	s.buf = append(append(s.buf, line...), '\r', '\n')
	s.more.Signal()
}

func (s *shim) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	s.more.Broadcast()
}
