package atline

import (
	"io"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A scriptPort is a modem that answers each write by a function. Each string of an answer is one read of the line.
type scriptPort struct {
	answer func(written string) []string

	mu      sync.Mutex
	change  sync.Cond
	chunks  []string
	written strings.Builder
	closed  bool
	full    bool // writes block
	past    bool // the write deadline is over
}

func newScriptPort(answer func(string) []string) *scriptPort {
	p := &scriptPort{answer: answer}
	p.change.L = &p.mu
	return p
}

// say makes the modem speak unasked.
func (p *scriptPort) say(chunks ...string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.chunks = append(p.chunks, chunks...)
	p.change.Broadcast()
}

func (p *scriptPort) sent() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.written.String()
}

func (p *scriptPort) Read(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(p.chunks) == 0 && !p.closed {
		p.change.Wait()
	}
	if len(p.chunks) == 0 {
		return 0, io.EOF
	}
	n := copy(b, p.chunks[0])
	if p.chunks[0] = p.chunks[0][n:]; p.chunks[0] == "" {
		p.chunks = p.chunks[1:]
	}
	return n, nil
}

func (p *scriptPort) Write(b []byte) (int, error) {
	p.mu.Lock()
	for p.full && !p.closed && !p.past {
		p.change.Wait()
	}
	switch {
	case p.closed:
		p.mu.Unlock()
		return 0, io.EOF
	case p.full && p.past:
		p.mu.Unlock()
		return 0, os.ErrDeadlineExceeded
	}
	p.written.Write(b)
	p.mu.Unlock()
	if p.answer != nil {
		p.say(p.answer(string(b))...)
	}
	return len(b), nil
}

func (p *scriptPort) SetWriteDeadline(t time.Time) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.past = !t.IsZero()
	p.change.Broadcast()
	return nil
}

func (p *scriptPort) setFull(full bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.full = full
	p.change.Broadcast()
}

func (p *scriptPort) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	p.change.Broadcast()
	return nil
}

// A bus collects URCs.
type bus struct {
	mu    sync.Mutex
	more  sync.Cond
	lines []string
}

func newBus() *bus {
	b := &bus{}
	b.more.L = &b.mu
	return b
}

func (b *bus) put(u URC) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.lines = append(b.lines, strings.Join(append([]string{u.Line}, u.Payload...), "|"))
	b.more.Broadcast()
}

// await returns the URCs as soon as there are n.
func (b *bus) await(n int) []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	for len(b.lines) < n {
		b.more.Wait()
	}
	return append([]string(nil), b.lines...)
}

func quick() Config {
	return Config{Timeout: 20 * time.Second, Sync: time.Second, Settle: 30 * time.Millisecond, Guard: 5 * time.Millisecond}
}

// always answers every write with the same bytes, in two reads when at is positive.
func always(reply string, at int) func(string) []string {
	return func(string) []string {
		if at <= 0 {
			return []string{reply}
		}
		return []string{reply[:at], reply[at:]}
	}
}
