package core

import (
	"errors"
	"fmt"
	"io"
	"net"
	"syscall"

	"minato/agent/netstack"
)

// doorConn is a connection to a device. It says when it was the session's end that cut it.
type doorConn struct {
	*netstack.Conn
	session *Session
}

var (
	_ net.Conn      = (*doorConn)(nil)
	_ io.WriterTo   = (*doorConn)(nil)
	_ io.ReaderFrom = (*doorConn)(nil)
)

func (c *doorConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	return n, c.explain(err)
}

func (c *doorConn) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	return n, c.explain(err)
}

func (c *doorConn) WriteTo(w io.Writer) (int64, error) {
	n, err := c.Conn.WriteTo(w)
	return n, c.explain(err)
}

func (c *doorConn) ReadFrom(r io.Reader) (int64, error) {
	n, err := c.Conn.ReadFrom(r)
	return n, c.explain(err)
}

func (c *doorConn) explain(err error) error {
	if err == nil || !errors.Is(err, syscall.ECONNABORTED) || !c.session.ending() {
		return err
	}
	return fmt.Errorf("session %s ended: %w (%w)", c.session.id, ErrOffline, syscall.ECONNRESET)
}
