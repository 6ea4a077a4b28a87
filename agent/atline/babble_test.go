package atline

import (
	"context"
	"io"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// A babblingPort says the same all the time, and takes whatever is written.
type babblingPort struct {
	text   string
	closed chan struct{}
	enough func() // nil, or called once it has said much since it was written to

	asked atomic.Bool
	said  int // since
}

func (p *babblingPort) Read(b []byte) (int, error) {
	select {
	case <-p.closed:
		return 0, io.EOF
	default:
	}
	n := copy(b, p.text)
	if p.enough != nil && p.asked.Load() {
		if p.said += n; p.said > 2*maxReply {
			p.enough()
		}
	}
	return n, nil
}

func (p *babblingPort) Write(b []byte) (int, error) {
	p.asked.Store(true)
	return len(b), nil
}

func (p *babblingPort) Close() error {
	close(p.closed)
	return nil
}

// TestResultsWithoutEnd: a result that comes while a command is on its way to the sender ends that command, and nothing waits for another.
func TestResultsWithoutEnd(t *testing.T) {
	l := New(&babblingPort{text: "\r\nOK\r\n", closed: make(chan struct{})}, Config{Settle: time.Millisecond, Sync: time.Second})
	defer l.Close()
	ended := make(chan struct{})
	go func() { // waited for below
		defer close(ended)
		for range 500 {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			l.Command(ctx, "+CSQ") // whatever it gives
			cancel()
		}
	}()
	select {
	case <-ended:
	case <-time.After(time.Minute): // each may take its second only once the sender hangs
		t.Fatal("a command never ends")
	}
}

// TestReplyWithoutEnd: what is kept of a reply is bounded, however long it goes on.
func TestReplyWithoutEnd(t *testing.T) {
	const line = "+CSQ: 20,99"
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	l := New(&babblingPort{text: strings.Repeat(line+"\r\n", 100), closed: make(chan struct{}), enough: cancel}, Config{})
	defer l.Close()
	info, err := l.Command(ctx, "+CSQ")
	if n := len(info) * len(line); err == nil || n == 0 || n > maxReply {
		t.Errorf("%d octets, %v; at most %d may be kept", n, err, maxReply)
	}
}
