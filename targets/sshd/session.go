package sshd

import (
	"encoding/binary"
	"sync"

	"github.com/gliderlabs/ssh"
	gossh "golang.org/x/crypto/ssh"
)

// session runs one session channel. The library would take what we do not offer (agent forwarding, any number of environment
// variables) and blocks on window changes that nobody reads, so its requests go through window first.
func (c *connection) session(_ *ssh.Server, conn *gossh.ServerConn, n gossh.NewChannel, ctx ssh.Context) {
	if !c.admit(n) {
		return
	}
	defer c.leave()
	w := &window{NewChannel: n, open: &c.open, gone: make(chan struct{})}
	running := &ssh.Server{Handler: func(s ssh.Session) {
		if !c.begin() {
			return
		}
		defer c.open.Done()
		c.run(s, w)
	}, SubsystemHandlers: map[string]ssh.SubsystemHandler{"sftp": c.sftp}}
	ssh.DefaultSessionHandler(running, conn, w, ctx)
}

// sessionRequests are those that the library may see.
var sessionRequests = map[string]bool{"shell": true, "exec": true, "subsystem": true, "pty-req": true}

// window is a session channel before it is accepted; afterwards it filters the requests and knows the terminal's size.
type window struct {
	gossh.NewChannel
	open *sync.WaitGroup
	gone chan struct{} // closed when the channel is

	mu            sync.Mutex // guards what follows
	width, height int        // 0: not told yet
	resize        func(width, height int)
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
	defer close(w.gone)
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
	if w.resize != nil {
		w.resize(w.width, w.height)
	}
}

// follow calls resize with the size that is known, if it is, and with each later one; nil ends it.
func (w *window) follow(resize func(width, height int)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.resize = resize
	if resize != nil && w.width != 0 {
		resize(w.width, w.height)
	}
}
