package atline

import (
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
)

var (
	_ io.ReadWriteCloser = (*Data)(nil)
	_ io.WriterTo        = (*Data)(nil)

	errTaken = errors.New("data mode has a reader already")
)

// Data is the port in data mode, from the byte after CONNECT on. It ends with Close, with Unread, with Line.Escape, or with the
// port; later bytes belong to the line's commands again.
type Data struct {
	line  *Line
	ended atomic.Bool
	wrote atomic.Bool // something went to the modem

	mu    sync.Mutex // guards what follows
	moved sync.Cond  // something below changed
	chunk []byte     // offered by the line's reader to Read
	sink  io.Writer  // of WriteTo
	busy  bool       // sink.Write is running
	fault error      // what sink.Write returned
	err   error      // why data mode ended
}

func newData(l *Line) *Data {
	d := &Data{line: l}
	d.moved.L = &d.mu
	return d
}

// deliver hands a chunk over, on the line's reader goroutine: a slow taker slows the modem down. It returns what is left when
// data mode ends.
func (d *Data) deliver(p []byte) []byte {
	d.mu.Lock()
	defer d.mu.Unlock()
	for len(p) > 0 && d.err == nil {
		if w := d.sink; w != nil {
			d.busy = true
			d.mu.Unlock()
			n, err := w.Write(p)
			d.mu.Lock()
			d.busy = false
			p = p[min(max(n, 0), len(p)):]
			if err == nil && len(p) > 0 && d.err == nil {
				err = io.ErrShortWrite
			}
			if err != nil {
				d.sink, d.fault = nil, err
			}
			if err != nil || d.err != nil {
				d.moved.Broadcast()
			}
			continue
		}
		d.chunk = p
		d.moved.Broadcast()
		for len(d.chunk) > 0 && d.sink == nil && d.err == nil {
			d.moved.Wait()
		}
		p, d.chunk = d.chunk, nil
	}
	return p
}

// Read copies what the modem sent. After the end of data mode it returns io.EOF, or net.ErrClosed when this side closed it.
func (d *Data) Read(p []byte) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for len(d.chunk) == 0 && d.err == nil {
		d.moved.Wait()
	}
	if d.err != nil || len(p) == 0 {
		return 0, d.err
	}
	n := copy(p, d.chunk)
	if d.chunk = d.chunk[n:]; len(d.chunk) == 0 {
		d.moved.Broadcast()
	}
	return n, nil
}

// WriteTo gives the modem's bytes to w until data mode ends, as the port's reads returned them and from the goroutine that reads
// the port: no copy, no switch of goroutines. It returns w's error, io.EOF when the port or the call is gone, and net.ErrClosed
// after Close; w.Write is not running any more then. w.Write may call Unread and Close.
func (d *Data) WriteTo(w io.Writer) (int64, error) {
	c := &counter{w: w}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.sink != nil {
		return 0, errTaken
	}
	if d.err == nil {
		d.sink, d.fault = c, nil
		d.moved.Broadcast()
	}
	for d.err == nil && d.fault == nil || d.busy {
		d.moved.Wait()
	}
	d.sink = nil
	if d.fault != nil {
		return c.n, d.fault
	}
	return c.n, d.err
}

// counter counts what a sink took.
type counter struct {
	w io.Writer
	n int64
}

func (c *counter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}

// Write sends to the modem.
func (d *Data) Write(p []byte) (int, error) {
	l := d.line
	l.wmu.Lock()
	defer l.wmu.Unlock()
	if d.ended.Load() {
		d.mu.Lock()
		defer d.mu.Unlock()
		return 0, d.err
	}
	d.wrote.Store(true)
	return l.writeLocked(p, d.ended.Load)
}

// Unread gives bytes back that turned out not to be the call's, from CR LF NO CARRIER CR LF on, and ends data mode. A PTY and many
// USB modems have no carrier line, so that the text is the only sign.
func (d *Data) Unread(p []byte) {
	l := d.line
	l.bus.Lock() // before the reader is let go on: what it has in hand comes after p
	defer l.bus.Unlock()
	d.finish(io.EOF)
	if d.wrote.Load() {
		l.mu.Lock()
		l.dirty, l.noise = true, true
		l.mu.Unlock()
	}
	l.parseLocked(p)
}

// Close ends data mode on this side only: the modem stays online, and Line.Escape takes it back. A Read, WriteTo or Write that
// is blocked returns.
func (d *Data) Close() error {
	d.finish(net.ErrClosed)
	return nil
}

// finish ends data mode; the first reason stays.
func (d *Data) finish(err error) {
	l := d.line
	l.mu.Lock()
	if l.data == d {
		l.data = nil
		l.split.cr = false
	}
	l.mu.Unlock()
	if d.end(err) {
		l.interrupt()
	}
}

func (d *Data) end(err error) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.err != nil {
		return false
	}
	d.err = err
	d.ended.Store(true)
	d.moved.Broadcast()
	return true
}
