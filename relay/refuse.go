package relay

import (
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"sync"
	"time"

	"minato/relay/store"
)

// refusalBytes is how much a refused client may still send before the connection is reset.
const refusalBytes = 64 << 10

// What may be refused at a time: an orderly end takes a client's time and the relay's memory, and a flood shall not take more of either.
const (
	mostRefusals       = 1024
	mostRefusalsOfEach = 64 // of one address
)

// refusals counts the connections that are being refused before they were let in. They have no part in the limits of those that are.
type refusals struct {
	mu       sync.Mutex
	all      int                // guarded by mu
	bySource map[netip.Addr]int // guarded by mu
}

// take counts one in, unless there are too many: its connection is to be closed at once. Else give counts it out.
func (r *refusals) take(source netip.Addr) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.all >= mostRefusals || r.bySource[source] >= mostRefusalsOfEach {
		return false
	}
	if r.bySource == nil {
		r.bySource = make(map[netip.Addr]int)
	}
	r.all++
	r.bySource[source]++
	return true
}

func (r *refusals) give(source netip.Addr) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.all--
	if r.bySource[source]--; r.bySource[source] == 0 {
		delete(r.bySource, source)
	}
}

// refuse records why, and ends the connection without a byte.
func (c *connection) refuse(t store.EntryType, cause Cause) {
	c.refuseWith(c.client, t, cause, store.Words{})
}

// refuseWith is refuse for a connection that may speak TLS by now, with more words where there are some.
func (c *connection) refuseWith(client net.Conn, t store.EntryType, cause Cause, why store.Words) {
	if !why.IsZero() {
		c.entry.End = why
	}
	if !c.admitted {
		source := c.from.Addr()
		if !c.relay.refusals.take(source) {
			c.entry.End = say(wordFlood)
			c.recordRefusal(t, cause)
			client.Close()
			return
		}
		defer c.relay.refusals.give(source)
	}
	c.recordRefusal(t, cause)
	if !closeClient(client, c.relay.cfg.RefusalTimeout) {
		c.mapping.log.Info("reset a refused client that did not close", "client", c.from.String(), "connection", c.entry.ConnectionID)
	}
}

func (c *connection) recordRefusal(t store.EntryType, cause Cause) {
	c.setCause(cause)
	c.ladder.add(fromRelay, say(wordRefused, string(cause)), 0)
	e := c.entryNow(t)
	if c.relay.floods.counts(e) {
		c.writeAccess()
		c.relay.auditConnection(e)
	}
}

// halfCloser is a connection whose sending direction ends alone: a kernel socket's, a userspace stack's.
type halfCloser interface{ CloseWrite() error }

// closeOrderly ends a connection as a client understands best: our FIN goes out at once, then what the client still sends is thrown away
// until it closes too. Closing at once with unread data would send RST, and a client that has just written would see
// "connection reset" in place of a clean end. It says false when the client did not close within the limits, so that it may see a reset.
func closeOrderly(conn net.Conn, timeout time.Duration) (orderly bool) {
	defer conn.Close()
	h, ok := conn.(halfCloser)
	if !ok {
		return true // nothing better than Close is known of it
	}
	if err := h.CloseWrite(); err != nil {
		return true // the client has gone already
	}
	if err := conn.SetReadDeadline(time.Now().Add(timeout)); err != nil {
		return true
	}
	n, err := io.Copy(io.Discard, io.LimitReader(conn, refusalBytes+1))
	return n <= refusalBytes && !errors.Is(err, os.ErrDeadlineExceeded)
}

// closeClient ends a client's connection in an orderly way, TLS first where it speaks TLS.
func closeClient(conn net.Conn, timeout time.Duration) (orderly bool) {
	t, ok := conn.(*tlsClient)
	if !ok {
		return closeOrderly(conn, timeout)
	}
	if err := t.CloseWrite(); err != nil { // close_notify
		t.wire.Close()
		return true
	}
	return closeOrderly(t.wire, timeout)
}
