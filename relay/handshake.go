package relay

import (
	"crypto/tls"
	"sync"
	"time"
)

// handshakers do the TLS handshakes, on goroutines of their own: a handshake needs a big stack, which the goroutine of a connection would keep,
// and which costs more to grow than to keep for the next one. A worker ends after a while without work.
type handshakers struct {
	work    chan handshake // unbuffered: taken by a worker that waits, or not at all
	over    chan struct{}
	workers sync.WaitGroup
}

type handshake struct {
	conn *tls.Conn
	done chan<- error
}

// handshakerIdle is how long a worker waits for work.
const handshakerIdle = 5 * time.Second

func newHandshakers() *handshakers {
	return &handshakers{work: make(chan handshake), over: make(chan struct{})}
}

// stop ends the workers, after the last handshake.
func (h *handshakers) stop() {
	close(h.over)
	h.workers.Wait()
}

// do makes one handshake and waits for it. A deadline of the connection bounds it.
func (h *handshakers) do(conn *tls.Conn) error {
	done := make(chan error, 1)
	job := handshake{conn, done}
	select {
	case h.work <- job:
	default:
		h.workers.Go(func() { h.serve(job) })
	}
	return <-done
}

// serve is a worker. It begins with its first work, and ends some time after its last one.
func (h *handshakers) serve(job handshake) {
	idle := time.NewTimer(handshakerIdle)
	defer idle.Stop()
	for {
		job.done <- job.conn.Handshake()
		idle.Reset(handshakerIdle)
		select {
		case job = <-h.work:
		case <-idle.C:
			return
		case <-h.over:
			return
		}
	}
}
