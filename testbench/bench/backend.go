//go:build linux

package bench

import (
	"encoding/binary"
	"errors"
	"io"
	"net"
	"sync"
)

// What a client asks of the backend with its first byte. Eight bytes follow it: how much is to be moved, big-endian.
const (
	askEcho = 'e' // everything comes back; the number means nothing
	askDown = 'd' // so many bytes are sent
	askUp   = 'u' // so many bytes are taken, then one is sent
)

// requestSize is the length of what a client asks.
const requestSize = 1 + 8

func request(ask byte, n int64) []byte {
	return binary.BigEndian.AppendUint64([]byte{ask}, uint64(n))
}

// chunk is what the load is moved in: as much as a busy program writes at a time.
const chunk = 256 << 10

// backend stands for the device.
type backend struct {
	addr     string
	listener net.Listener
	serving  sync.WaitGroup

	mu    sync.Mutex // guards what follows
	conns map[net.Conn]struct{}
	over  bool
}

func newBackend() (*backend, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	b := &backend{addr: l.Addr().String(), listener: l, conns: map[net.Conn]struct{}{}}
	b.serving.Go(b.accept)
	return b, nil
}

// close ends all connections and waits for them.
func (b *backend) close() {
	b.listener.Close()
	b.mu.Lock()
	b.over = true
	for c := range b.conns {
		c.Close()
	}
	b.mu.Unlock()
	b.serving.Wait()
}

// accept ends with the listener.
func (b *backend) accept() {
	for {
		c, err := b.listener.Accept()
		if err != nil {
			return
		}
		b.mu.Lock()
		over := b.over
		b.conns[c] = struct{}{}
		b.mu.Unlock()
		if over {
			c.Close()
		}
		b.serving.Go(func() {
			b.serve(c) // its error is the client's to notice
			c.Close()
			b.mu.Lock()
			delete(b.conns, c)
			b.mu.Unlock()
		})
	}
}

var errRequest = errors.New("bench: not a request")

func (b *backend) serve(c net.Conn) error {
	var req [requestSize]byte
	if _, err := io.ReadFull(c, req[:]); err != nil {
		return err
	}
	n := int64(binary.BigEndian.Uint64(req[1:]))
	switch req[0] {
	case askEcho:
		buf := make([]byte, 512)
		for {
			n, err := c.Read(buf)
			if err != nil {
				return err
			}
			if _, err := c.Write(buf[:n]); err != nil {
				return err
			}
		}
	case askDown:
		return send(c, n)
	case askUp:
		if err := take(c, n); err != nil {
			return err
		}
		_, err := c.Write([]byte{1})
		return err
	}
	return errRequest
}

// send writes n bytes.
func send(w io.Writer, n int64) error {
	buf := make([]byte, chunk)
	for n > 0 {
		m, err := w.Write(buf[:min(n, chunk)])
		if err != nil {
			return err
		}
		n -= int64(m)
	}
	return nil
}

// take reads n bytes.
func take(r io.Reader, n int64) error {
	buf := make([]byte, chunk)
	for n > 0 {
		m, err := r.Read(buf[:min(n, chunk)])
		if err != nil {
			return err
		}
		n -= int64(m)
	}
	return nil
}
