package relay

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"

	"minato/relay/recognize"
	"minato/relay/splice"
	"minato/relay/store"
)

// connection is one client's connection to a mapping, from accept to its end.
//
//	accept -> source allowed? -> room? -> ACCESS -> [TLS: ClientHello, handshake] -> dial the SIM -> CONNECTED -> splice -> CLOSED
//	               | DENIED R12     | REFUSED R16          | DENIED R01-R06, R14, R15      | CLOSED R09-R11
//
// It writes its audit entries in that order, all with its id.
type connection struct {
	mapping *portMapping
	relay   *Relay
	client  net.Conn
	from    netip.AddrPort
	began   time.Time
	entry   store.Entry // what all its entries have in common so far
}

func newConnection(pm *portMapping, client net.Conn) *connection {
	c := &connection{mapping: pm, relay: pm.relay, client: client, from: addrPort(client.RemoteAddr()), began: pm.relay.cfg.Clock.Now()}
	c.entry = entryOf(pm.Mapping, "", c.began)
	c.entry.ConnectionID, c.entry.Source = newUUID(), c.from
	return c
}

// serve carries the connection to its end. Its own goroutine; ctx cuts it.
func (c *connection) serve(ctx context.Context) {
	// Until the splice owns the connection, this cuts whatever waits on it.
	stopCut := context.AfterFunc(ctx, func() { c.client.Close() })
	defer stopCut()

	if !c.admit() {
		return
	}
	c.audit(store.Access)
	client := c.client
	if c.mapping.TLS {
		t := c.startTLS(ctx)
		if t == nil {
			return
		}
		client = t
	}
	target, err := c.dial(ctx)
	if err != nil {
		c.unreachable(ctx, client, err)
		return
	}
	if !stopCut() {
		target.Close()
		c.client.Close()
		c.closed(context.Cause(ctx).Error())
		return
	}
	c.audit(store.Connected)
	c.splice(ctx, client, target)
}

// admit checks the source address and the number of connections.
func (c *connection) admit() bool {
	if !c.allowed() {
		c.refuse(store.Denied, CauseSourceDenied)
		return false
	}
	limit := int64(c.relay.cfg.MaxConnections)
	live := c.mapping.live.Load()
	if live > 2*limit { // an orderly end takes time, and a flood shall not take more of it
		c.client.Close()
		return false
	}
	if live > limit {
		c.refuse(store.Refused, CauseTooMany)
		return false
	}
	return true
}

func (c *connection) allowed() bool {
	for _, p := range c.mapping.Sources {
		if p.Contains(c.from.Addr()) {
			return true
		}
	}
	return false
}

// startTLS makes sure that the client speaks TLS before any byte goes out, and does the handshake. Nil: refused.
func (c *connection) startTLS(ctx context.Context) *tlsClient {
	first := readHello(c.client, c.relay.cfg.SilenceTimeout)
	c.entry.SNI = first.hello.ServerName
	if first.protocol != recognize.Unknown {
		c.entry.Protocol = first.protocol.String()
	}
	switch {
	case ctx.Err() != nil:
		c.closed(context.Cause(ctx).Error())
		return nil
	case first.gone:
		c.client.Close()
		c.closed("the client closed before it sent a byte")
		return nil
	case first.cause != "":
		c.refuse(store.Denied, first.cause)
		return nil
	}

	wire := &peekedConn{Conn: c.client, peeked: first.bytes}
	g := splice.NewGatherConn(wire)
	conn := tls.Server(g, c.relay.tlsConfig)
	c.client.SetDeadline(time.Now().Add(c.relay.cfg.HandshakeTimeout)) // an error shows in the handshake
	if err := handshake(conn); err != nil {
		if ctx.Err() != nil {
			c.closed(context.Cause(ctx).Error())
			return nil
		}
		if alert, ok := wire.alert(); ok {
			err = fmt.Errorf("remote error: %w", alert)
		}
		c.entry.CloseReason = "TLS handshake: " + err.Error()
		c.refuse(store.Denied, causeOfHandshake(first.hello, err))
		return nil
	}
	wire.done = true
	c.client.SetDeadline(time.Time{})
	c.entry.TLSVersion = tls.VersionName(conn.ConnectionState().Version)
	return &tlsClient{TLSConn: g.Wrap(conn), wire: c.client}
}

// handshake runs on a goroutine of its own, because it needs a big stack, which the one of the connection would keep while it is silent. It ends
// with the handshake; a deadline bounds it.
func handshake(conn *tls.Conn) error {
	done := make(chan error)
	go func() { done <- conn.Handshake() }()
	return <-done
}

// dial connects to the device. Only now: what does not get this far costs the device nothing.
func (c *connection) dial(ctx context.Context) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, c.relay.cfg.DialTimeout)
	defer cancel()
	target, err := c.relay.cfg.Network.DialSIM(ctx, c.mapping.SIMID, c.mapping.DevicePort)
	if err != nil && errors.Is(ctx.Err(), context.DeadlineExceeded) {
		err = errors.Join(ErrTimeout, err)
	}
	return target, err
}

// unreachable tells of a device that was not reached: ACCESS without CONNECTED, as in Napter's log.
func (c *connection) unreachable(ctx context.Context, client net.Conn, err error) {
	if ctx.Err() != nil {
		c.closed(context.Cause(ctx).Error())
		return
	}
	c.setCause(causeOfDial(err))
	c.closed("device not reached: " + err.Error())
	closeClient(client, c.relay.cfg.RefusalTimeout)
}

// splice copies both ways until the end.
func (c *connection) splice(ctx context.Context, client, target net.Conn) {
	res := splice.New(client, target, splice.Config{
		IdleTimeout:  c.relay.cfg.IdleTimeout,
		CloseTimeout: c.relay.cfg.CloseTimeout,
	}).Run(ctx)
	c.entry.BytesUp, c.entry.BytesDown = res.Up, res.Down
	switch {
	case errors.Is(res.Err, errExpired):
		c.setCause(CauseExpired)
	case res.End == splice.TargetClosed && res.Down == 0:
		c.setCause(CauseDeviceHungUp)
	}
	why := res.End.String()
	if res.Err != nil {
		why += ": " + res.Err.Error()
	}
	c.closed(why)
}

// refuse records why, and ends the connection without a byte.
func (c *connection) refuse(t store.EntryType, cause Cause) {
	c.setCause(cause)
	c.audit(t)
	if !closeOrderly(c.client, c.relay.cfg.RefusalTimeout) {
		c.mapping.log.Info("reset a refused client that did not close", "client", c.from.String(), "connection", c.entry.ConnectionID)
	}
}

func (c *connection) closed(why string) {
	c.entry.CloseReason = why
	c.audit(store.Closed)
}

func (c *connection) setCause(cause Cause) {
	c.entry.Code, c.entry.Reason = string(cause), cause.Text("en")
}

func (c *connection) audit(t store.EntryType) {
	e := c.entry
	e.Type, e.Time = t, c.relay.cfg.Clock.Now()
	if t != store.Access {
		e.Duration = e.Time.Sub(c.began)
	}
	c.relay.auditConnection(e)
}

// addrPort is a connection's address; IPv4 as IPv4 also on a dual-stack listener.
func addrPort(a net.Addr) netip.AddrPort {
	var ap netip.AddrPort
	if t, ok := a.(*net.TCPAddr); ok {
		ap = t.AddrPort()
	} else {
		ap, _ = netip.ParseAddrPort(a.String()) // what cannot be read is in no allowed range
	}
	return netip.AddrPortFrom(ap.Addr().Unmap().WithZone(""), ap.Port())
}
