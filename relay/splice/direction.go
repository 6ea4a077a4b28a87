package splice

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"sync/atomic"
	"syscall"
	"time"
)

// direction copies one way.
type direction struct {
	session  *Session
	up       bool
	src, dst net.Conn
	first    []byte // to be sent before anything is read
	bytes    atomic.Int64
	watch    func(up bool, b []byte) (more bool) // nil: no more to be told
	spot     *spot                               // nil: it cannot park
}

// errParked says that the parker has the direction now: who gets it must return without touching anything.
var errParked = errors.New("parked")

// outcome is how a direction ended: in order (err is nil), or with the error of its read or write.
type outcome struct {
	dir  *direction
	read bool // the error is of the source
	err  error

	inferred bool // from the socket's state: the other direction was told the error itself, and says it before its copying ends
}

// end says it from the session's side.
func (o outcome) end(up *direction) (End, error) {
	fromClient := (o.dir == up) == (o.err == nil || o.read)
	switch {
	case o.err == nil && fromClient:
		return ClientClosed, nil
	case o.err == nil:
		return TargetClosed, nil
	case fromClient:
		return ClientError, o.err
	}
	return TargetError, o.err
}

// copy moves bytes until the source ends, then passes the end on. No other error than io.EOF is an orderly end. It
// reports before it passes the end on: the other side's answer to that must not come first. After a silence it parks; then the parker calls it
// again.
func (d *direction) copy() {
	read, inferred, err := false, false, d.write(d.first)
	d.first = nil
	if err == nil {
		read, err = d.flow()
	}
	if err == errParked {
		return
	}
	defer d.session.copying.Done()
	if err == io.EOF && !d.session.halfEnded.Load() && wasReset(d.src) {
		read, inferred, err = true, true, syscall.ECONNRESET
	}
	if err != io.EOF {
		d.session.report(outcome{dir: d, read: read, err: err, inferred: inferred})
		return
	}
	d.session.halfEnded.Store(true)
	if ended := d.session.cfg.Watch.Ended; ended != nil {
		ended(d.up)
	}
	if over := d.session.report(outcome{dir: d, read: read}); !over { // else both sides are closed as a whole
		closeWrite(d.dst)
	}
}

// flow picks the way of copying. It returns io.EOF at the source's end; read tells whose error it is.
func (d *direction) flow() (read bool, err error) {
	src, isTCP := d.src.(*net.TCPConn)
	if !isTCP {
		return d.copyConn()
	}
	wait, err := newReadyReader(src)
	if err != nil {
		return true, err
	}
	dst, _ := d.dst.(*net.TCPConn)
	return d.copyTCP(src, dst, wait)
}

// await sets how long the next read may wait, where the direction can park then. until is what it was set to before.
func (d *direction) await(until *time.Time) {
	linger := d.spot.lingers()
	if linger == 0 {
		return
	}
	if now := time.Now(); until.Sub(now) < linger/2 {
		*until = now.Add(linger)
		d.src.SetReadDeadline(*until) // its error is one that the read meets too
	}
}

// lull tells what is to be done about the error of a read that await bounded: nil to read on, errParked, or the error.
func (d *direction) lull(err error) error {
	if d.spot == nil || !isTimeout(err) || d.session.stopping.Load() {
		return err
	}
	d.src.SetReadDeadline(time.Time{}) // its error is one that the next read meets too
	if d.spot.park() {
		return errParked
	}
	return nil
}

// write sends b and counts what was sent.
func (d *direction) write(b []byte) error {
	if len(b) == 0 {
		return nil
	}
	if d.watch != nil && !d.watch(d.up, b) {
		d.watch = nil
	}
	d.session.touch()
	n, err := d.dst.Write(b)
	if err != nil {
		d.bytes.Add(int64(n)) // they went before the wait that failed: nothing moves now
		return err
	}
	d.count(int64(n))
	return nil
}

func (d *direction) count(n int64) {
	if n > 0 {
		d.bytes.Add(n)
		d.session.touch()
	}
}

// closeWrite passes the end of a stream on to a connection that can do so. One that cannot stays open: its other
// direction ends by itself or by CloseTimeout. Under TLS the TCP connection is half-closed too, for peers that do not
// heed close_notify.
func closeWrite(c net.Conn) {
	if half, ok := c.(interface{ CloseWrite() error }); ok {
		half.CloseWrite() // its error is one that the other direction meets too
	}
	if over, ok := c.(interface{ NetConn() net.Conn }); ok {
		closeWrite(over.NetConn())
	}
}

// isTLS tells a *tls.Conn or a wrapper of one: a Read may return bytes without touching the socket.
func isTLS(c net.Conn) bool {
	_, ok := c.(interface{ ConnectionState() tls.ConnectionState })
	return ok
}

// isTimeout tells that a deadline of ours has passed. The kernel's ETIMEDOUT, by which it gives up a peer that acknowledges nothing, calls itself
// a timeout too, but it is told once, and the connection is broken.
func isTimeout(err error) bool {
	var timeout net.Error
	return errors.As(err, &timeout) && timeout.Timeout() && !errors.Is(err, syscall.ETIMEDOUT)
}
