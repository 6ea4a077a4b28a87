package sshd

import (
	"encoding/binary"
	"sync"

	"github.com/gliderlabs/ssh"
	gossh "golang.org/x/crypto/ssh"
	"golang.org/x/term"
)

// session runs one session channel. The library would take what we do not offer (agent forwarding, any number of environment
// variables) and blocks on window changes that nobody reads, so its requests go through window first.
func (c *connection) session(_ *ssh.Server, conn *gossh.ServerConn, n gossh.NewChannel, ctx ssh.Context) {
	if !c.admit(n) {
		return
	}
	defer c.leave()
	w := &window{NewChannel: n, open: &c.open}
	running := &ssh.Server{Handler: func(s ssh.Session) {
		if !c.begin() {
			return
		}
		defer c.open.Done()
		c.run(s, w)
	}}
	ssh.DefaultSessionHandler(running, conn, w, ctx)
}

// sessionRequests are those that the library may see.
var sessionRequests = map[string]bool{"shell": true, "exec": true, "subsystem": true, "pty-req": true}

// window is a session channel before it is accepted; afterwards it filters the requests and knows the terminal's size.
type window struct {
	gossh.NewChannel
	open *sync.WaitGroup

	mu            sync.Mutex // guards what follows
	width, height int        // 0: not told yet
	terminal      *term.Terminal
}

// Accept is called by the library.
func (w *window) Accept() (gossh.Channel, <-chan *gossh.Request, error) {
	ch, in, err := w.NewChannel.Accept()
	if err != nil {
		return nil, nil, err
	}
	out := make(chan *gossh.Request)
	w.open.Go(func() { w.filter(in, out) })
	return ch, out, nil
}

// filter ends when the channel ends, and with it the library's reading of out.
func (w *window) filter(in <-chan *gossh.Request, out chan<- *gossh.Request) {
	defer close(out)
	for r := range in {
		switch {
		case sessionRequests[r.Type]:
			out <- r
		case r.Type == "window-change":
			w.change(r.Payload)
		default:
			r.Reply(false, nil)
		}
	}
}

// change is RFC 4254, section 6.7: columns and rows, then pixels, which nobody needs.
func (w *window) change(payload []byte) {
	if len(payload) < 8 {
		return
	}
	w.setSize(int(binary.BigEndian.Uint32(payload)), int(binary.BigEndian.Uint32(payload[4:])))
}

// maxSide of a terminal, in characters: more is a mistake, and costs memory.
const maxSide = 1000

func (w *window) setSize(width, height int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.width, w.height = min(max(width, 1), maxSide), min(max(height, 1), maxSide)
	if w.terminal != nil {
		w.terminal.SetSize(w.width, w.height)
	}
}

// attach makes the terminal follow the window; first is the size that the PTY was asked with, unless it has changed since.
func (w *window) attach(t *term.Terminal, first ssh.Window) {
	w.mu.Lock()
	known := w.width != 0
	w.terminal = t
	if known {
		t.SetSize(w.width, w.height)
	}
	w.mu.Unlock()
	if !known && first.Width > 0 && first.Height > 0 {
		w.setSize(first.Width, first.Height)
	}
}
