package core

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"
)

const (
	socksHandshake = 10 * time.Second // how long a client may take to say what it wants
	socksLinger    = time.Second      // how long a refused client has to take the reply
	acceptPause    = 50 * time.Millisecond
)

// ServeSOCKS is the door into the network: SOCKS5 (RFC 1928), CONNECT only, names of the form SIMID.sim or IMSI.sim only. It ends with ctx, and
// then has closed l and every connection. It may be called on several listeners.
func (c *Core) ServeSOCKS(ctx context.Context, l net.Listener) error {
	ctx, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	defer context.AfterFunc(ctx, func() { l.Close() })()
	defer l.Close()
	for {
		client, err := l.Accept()
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			if errors.Is(err, net.ErrClosed) {
				return fmt.Errorf("accepting SOCKS clients: %w", err)
			}
			c.log.Warn("accepting a SOCKS client failed", "error", err) // out of descriptors, most likely: it passes
			select {
			case <-time.After(acceptPause):
				continue
			case <-ctx.Done():
				return nil
			}
		}
		wg.Go(func() { c.serveClient(ctx, client) })
	}
}

// serveClient ends with the connection, and closes it when ctx ends.
func (c *Core) serveClient(ctx context.Context, client net.Conn) {
	defer client.Close()
	defer context.AfterFunc(ctx, func() { client.Close() })()
	client.SetDeadline(time.Now().Add(socksHandshake))
	sub, port, rep := c.socksRequest(client)
	if rep == repSucceeded {
		// The dial has its own limit, and the client waits for it.
		client.SetDeadline(time.Time{})
		device, err := c.dial(ctx, sub, port)
		if err == nil {
			defer device.Close()
			if writeReply(client, repSucceeded, device.LocalAddr()) == nil {
				relay(client, device.(*doorConn))
			}
			return
		}
		c.log.Info("SOCKS dial failed", "client", client.RemoteAddr(), "sim", sub.SIMID, "port", port, "error", err)
		rep = replyOf(err)
	}
	if rep == repNone {
		return
	}
	client.SetDeadline(time.Now().Add(socksLinger))
	if writeReply(client, rep, nil) == nil {
		lingeringClose(client)
	}
}

// socksRequest reads until it is known whom the client wants. Anything but repSucceeded is the reply to end with.
func (c *Core) socksRequest(client net.Conn) (*subscriber, uint16, reply) {
	if err := negotiate(client); err != nil {
		c.log.Info("SOCKS client refused", "client", client.RemoteAddr(), "error", err)
		return nil, 0, repNone
	}
	host, port, rep, err := readRequest(client)
	if err != nil {
		c.log.Info("SOCKS request refused", "client", client.RemoteAddr(), "error", err)
		return nil, 0, rep
	}
	sub, err := c.lookUp(host)
	if err != nil {
		c.log.Info("SOCKS request refused", "client", client.RemoteAddr(), "host", host, "error", err)
		return nil, 0, replyOf(err)
	}
	return sub, port, repSucceeded
}

// replyOf tells a client why there is no connection.
func replyOf(err error) reply {
	switch {
	case errors.Is(err, errNotASIM):
		return repNotAllowed
	case errors.Is(err, ErrUnknownSIM), errors.Is(err, ErrOffline):
		return repHostUnreachable
	case errors.Is(err, ErrRefused):
		return repRefused
	case errors.Is(err, ErrTimeout):
		return repTTLExpired
	}
	return repFailure
}

// lingeringClose lets the client read the reply: closing with its bytes unread would reset the connection and lose it.
func lingeringClose(client net.Conn) {
	if hc, ok := client.(interface{ CloseWrite() error }); ok && hc.CloseWrite() == nil {
		io.Copy(io.Discard, io.LimitReader(client, 64<<10))
	}
}

// relay copies both ways until both directions have ended, or one has failed; then both are cut, so that neither side takes a
// broken transfer for a whole one.
func relay(client net.Conn, device *doorConn) {
	var up, down error
	var wg sync.WaitGroup
	wg.Go(func() {
		if _, up = io.Copy(device, client); up == nil {
			up = device.CloseWrite()
		}
		if up != nil {
			cut(client, device)
		}
	})
	wg.Go(func() {
		if _, down = io.Copy(client, device); down == nil {
			if hc, ok := client.(interface{ CloseWrite() error }); ok {
				down = hc.CloseWrite()
			}
		}
		if down != nil {
			cut(client, device)
		}
	})
	wg.Wait()
}

// cut resets both connections.
func cut(client net.Conn, device *doorConn) {
	if lc, ok := client.(interface{ SetLinger(int) error }); ok {
		lc.SetLinger(0)
	}
	client.Close()
	device.Abort()
}
