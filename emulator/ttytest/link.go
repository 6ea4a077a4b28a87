package ttytest

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"time"

	"minato/agent/ppp"
)

// Link is a PPP client on a port in data mode.
type Link struct {
	Conn *ppp.Conn
	Stop context.CancelFunc // ends it in good order

	u      *User
	unread []byte
	done   chan error
}

// PPP begins a data call's link; End must follow.
func (u *User) PPP(cfg ppp.Config) *Link {
	l := &Link{u: u, done: make(chan error, 1)}
	l.Conn = ppp.New(line{l}, cfg)
	ctx, cancel := context.WithCancel(context.Background())
	l.Stop = cancel
	go func() { l.done <- l.Conn.Run(ctx) }() // End waits for it
	return l
}

// line is a port in data mode as package ppp takes it.
type line struct{ *Link }

func (l line) Read(b []byte) (int, error)  { return l.u.r.Read(b) }
func (l line) Write(b []byte) (int, error) { return l.u.f.Write(b) }
func (l line) Unread(b []byte)             { l.unread = append(l.unread, b...) }
func (l line) Close() error                { return l.u.f.SetReadDeadline(time.Unix(1, 0)) }

// Await waits until the link is up.
func (l *Link) Await() ppp.Params {
	l.u.t.Helper()
	select {
	case <-l.Conn.Ready():
	case err := <-l.done:
		l.u.t.Fatalf("the PPP link ended: %v", err)
	case <-time.After(Patience):
		l.u.t.Fatal("the PPP link does not come up")
	}
	return l.Conn.Params()
}

// End waits for the link's end and gives the port back to commands.
func (l *Link) End() error {
	l.u.t.Helper()
	var err error
	select {
	case err = <-l.done:
	case <-time.After(2 * Patience):
		l.u.t.Fatal("the PPP link does not end")
	}
	l.Stop()
	l.u.f.SetReadDeadline(time.Time{})
	l.u.r = bufio.NewReaderSize(io.MultiReader(bytes.NewReader(l.unread), l.u.r), 64<<10)
	return err
}
