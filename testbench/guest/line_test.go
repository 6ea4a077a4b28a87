package guest

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// line is the cable between the guest's port and a modem. The guest's end is plugged in once; each test plugs in a modem of its own.
type line struct {
	dir      string
	listener net.Listener
	guest    chan net.Conn // qemu's connection, once it is there
}

func listenLine() (*line, error) {
	dir, err := os.MkdirTemp("", "minato-line-")
	if err != nil {
		return nil, err
	}
	l := &line{dir: dir, guest: make(chan net.Conn, 1)}
	if l.listener, err = net.Listen("unix", l.path()); err != nil {
		return nil, err
	}
	return l, nil
}

func (l *line) path() string { return filepath.Join(l.dir, "tty") }

func (l *line) close() {
	l.listener.Close()
	os.RemoveAll(l.dir)
}

// plug connects the guest to a modem until the test's end, and gives what passes.
func (l *line) plug(t *testing.T, modemSocket string) *recording {
	t.Helper()
	guest, err := l.listener.Accept() // qemu has dialed before its guest ran, and dials again after each test
	if err != nil {
		t.Fatal(err)
	}
	modem, err := net.Dial("unix", modemSocket)
	if err != nil {
		guest.Close()
		t.Fatal(err)
	}
	r := &recording{}
	var copies sync.WaitGroup
	carry := func(way string, to, from net.Conn) {
		io.Copy(io.MultiWriter(r.writer(way), to), from)
		to.Close()
		from.Close()
	}
	copies.Go(func() { carry(">", modem, guest) }) // both end when the test's end closes them
	copies.Go(func() { carry("<", guest, modem) })
	t.Cleanup(func() {
		guest.Close()
		modem.Close()
		copies.Wait()
	})
	return r
}

// recording is what passed, in turns: what one side sent until the other spoke.
type recording struct {
	mu    sync.Mutex
	turns []turn
}

type turn struct {
	way    string // ">" to the modem, "<" from it
	octets []byte
}

type recorder func([]byte)

func (f recorder) Write(b []byte) (int, error) {
	f(b)
	return len(b), nil
}

func (r *recording) writer(way string) io.Writer {
	return recorder(func(b []byte) {
		r.mu.Lock()
		defer r.mu.Unlock()
		if n := len(r.turns); n > 0 && r.turns[n-1].way == way {
			r.turns[n-1].octets = append(r.turns[n-1].octets, b...)
			return
		}
		r.turns = append(r.turns, turn{way, bytes.Clone(b)})
	})
}

// reset forgets what has passed.
func (r *recording) reset() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.turns = nil
}

func (r *recording) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var text strings.Builder
	for _, u := range r.turns {
		fmt.Fprintf(&text, "%s %x\n", u.way, u.octets)
	}
	return text.String()
}
