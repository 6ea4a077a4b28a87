package relay

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync/atomic"
	"time"

	"minato/relay/recognize"
	"minato/relay/splice"
	"minato/relay/store"
)

// connection is one client's connection to a mapping, from accept to its end.
//
//	accept -> [PROXY header] -> mapping alive? source allowed? room? -> ACCESS -> [TLS: ClientHello, handshake] -> dial the SIM -> CONNECTED -> splice -> CLOSED
//	                              | DENIED R12, R13   | REFUSED R16           | DENIED R01-R06, R14, R15     | CLOSED R09-R11              | R07, R08, R13, R17, R18
//
// It writes its audit entries in that order, all with its id. ACCESS is held back until there is another entry to follow it, so that refusals
// which are only counted leave none.
type connection struct {
	mapping *portMapping
	relay   *Relay
	client  net.Conn
	from    netip.AddrPort
	early   []byte // of the client, read with a balancer's header
	began   time.Time
	id      string
	entry   store.Entry // what all its entries have in common so far
	access  bool        // ACCESS is to be written before the next entry
	ladder  ladder
	cut     context.CancelCauseFunc

	sniffed // by the goroutines that copy, until the splice has ended

	session atomic.Pointer[splice.Session] // nil until the device is connected
}

// errCut is told to a connection that was cut over the API.
var errCut = errors.New("the connection was cut over the API")

func newConnection(pm *portMapping, client net.Conn) *connection {
	c := &connection{mapping: pm, relay: pm.relay, client: client, began: pm.relay.cfg.Clock.Now()}
	c.ladder.began = time.Now()
	c.entry = entryOf(pm.mapping(), "", c.began)
	c.id = newUUID()
	c.entry.ConnectionID = c.id
	c.setFrom(addrPort(client.RemoteAddr()))
	return c
}

func (c *connection) setFrom(a netip.AddrPort) { c.from, c.entry.Source = a, a }

// serve carries the connection to its end. Its own goroutine; ctx cuts it.
func (c *connection) serve(ctx context.Context) {
	ctx, c.cut = context.WithCancelCause(ctx)
	defer c.cut(nil)
	// Until the splice owns the connection, this cuts whatever waits on it.
	stopCut := context.AfterFunc(ctx, func() { c.client.Close() })
	defer stopCut()

	c.ladder.add(fromClient, "connection", 0)
	if !c.proxied() || !c.admit() {
		return
	}
	defer c.relay.limits.give(c.from.Addr(), c.mapping.SIMID)
	c.relay.live.add(c)
	defer c.relay.live.remove(c)
	c.access = true
	client := c.client
	if c.mapping.TLS {
		t := c.startTLS(ctx)
		if t == nil {
			return
		}
		client = t
	}
	c.writeAccess()
	target, err := c.dial(ctx)
	if err != nil {
		c.unreachable(ctx, client, err)
		return
	}
	if !c.spend(ctx) {
		target.Close()
		c.refuseWith(client, store.Denied, CauseExpired, "its one connection was used before")
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

// admit checks that the mapping is alive, the source address, and the number of connections. What it lets in must be given back to the limits.
func (c *connection) admit() bool {
	m := c.mapping
	live := m.live.Load()
	limit := int64(c.relay.cfg.MaxConnections)
	switch {
	case live > 2*limit: // an orderly end takes time, and a flood shall not take more of it
		c.setCause(CauseTooMany)
		c.entry.CloseReason = "limit: the mapping's; closed at once"
		c.relay.floods.add(c.entryNow(store.Refused))
		c.client.Close()
		return false
	case m.hasEnded():
		c.entry.CloseReason = fmt.Sprintf("the mapping ended at %s", m.mapping().ExpiresAt.UTC().Format(time.RFC3339))
		if m.mapping().SpentBy != "" {
			c.entry.CloseReason = "its one connection was used before"
		}
		c.refuse(store.Denied, CauseExpired)
		return false
	case !m.allows(c.from.Addr()):
		c.entry.CloseReason = fmt.Sprintf("%s is not in %s", c.from.Addr(), joinRanges(m.Sources))
		c.refuse(store.Denied, CauseSourceDenied)
		return false
	case live > limit:
		c.entry.CloseReason = fmt.Sprintf("limit: %d live connections of the mapping; it ends when one of them closes", limit)
		c.refuse(store.Refused, CauseTooMany)
		return false
	}
	if full := c.relay.limits.take(c.from.Addr(), m.SIMID, c.relay.cfg.Clock.Now()); full != "" {
		c.entry.CloseReason = full
		c.refuse(store.Refused, CauseTooMany)
		return false
	}
	return true
}

func joinRanges(ranges []netip.Prefix) string {
	const most = 5
	var b strings.Builder
	for i, p := range ranges {
		if i == most {
			fmt.Fprintf(&b, " and %d more", len(ranges)-most)
			break
		}
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(p.String())
	}
	return b.String()
}

// startTLS makes sure that the client speaks TLS before any byte goes out, and does the handshake. Nil: refused.
func (c *connection) startTLS(ctx context.Context) *tlsClient {
	first := readHello(c.client, c.early, c.relay.cfg.SilenceTimeout)
	c.early = nil
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
	case first.cause == CauseSilentOnTLS:
		c.ladder.add(fromClient, "silence", 0)
		c.refuseSilence(ctx)
		return nil
	case first.cause != "":
		c.ladder.add(fromClient, "first bytes ("+first.protocol.String()+")", int64(first.size))
		c.refuse(store.Denied, first.cause)
		return nil
	}
	c.ladder.add(fromClient, "ClientHello, up to "+tls.VersionName(first.hello.MaxVersion()), int64(first.size))

	wire := &peekedConn{Conn: c.client, peeked: first.bytes}
	g := splice.NewGatherConn(wire)
	conn := tls.Server(g, c.relay.tlsConfig)
	began := time.Now()
	c.client.SetDeadline(began.Add(c.relay.cfg.HandshakeTimeout)) // an error shows in the handshake
	if err := handshake(conn); err != nil {
		if ctx.Err() != nil {
			c.closed(context.Cause(ctx).Error())
			return nil
		}
		if alert, ok := wire.alert(); ok {
			err = fmt.Errorf("remote error: %w", alert)
			c.ladder.add(fromClient, "TLS alert: "+alert.Error(), alertRecord)
		}
		c.entry.CloseReason = "TLS handshake: " + err.Error()
		c.refuse(store.Denied, causeOfHandshake(first.hello, err))
		return nil
	}
	c.relay.metrics.handshakes.Observe(time.Since(began).Seconds())
	wire.done = true
	c.client.SetDeadline(time.Time{})
	state := conn.ConnectionState()
	c.entry.TLSVersion = tls.VersionName(state.Version)
	what := "TLS handshake done, " + c.entry.TLSVersion
	if state.DidResume {
		what += ", resumed"
	}
	c.ladder.add(fromRelay, what, 0)
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
	c.ladder.add(fromRelay, "dial", 0)
	target, err := c.mapping.dial(ctx)
	if err != nil {
		c.ladder.add(fromDevice, "not reached: "+causeOfDial(err).String(), 0)
		return nil, err
	}
	c.ladder.add(fromDevice, "connected", 0)
	return target, nil
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
	cfg := &c.relay.cfg
	s := splice.New(client, target, splice.Config{
		IdleTimeout:  cfg.IdleTimeout,
		CloseTimeout: cfg.CloseTimeout,
		FromClient:   c.early,
		Watch:        splice.Watch{First: c.firstBytes, Ended: c.ended},
		CloseClient:  func(client net.Conn) { closeClient(client, cfg.RefusalTimeout) },
	})
	c.early = nil
	c.session.Store(s)
	res := s.Run(ctx)
	c.entry.BytesUp, c.entry.BytesDown = res.Up, res.Down
	c.setCause(c.causeOfEnd(res))
	c.nameProtocols()
	why := res.End.String()
	if res.Err != nil {
		why += ": " + res.Err.Error()
	}
	c.closed(why)
	c.mapping.connectionEnded(c)
}

// refuse records why, and ends the connection without a byte.
func (c *connection) refuse(t store.EntryType, cause Cause) { c.refuseWith(c.client, t, cause, "") }

// refuseWith is refuse for a connection that may speak TLS by now, with more words where there are some.
func (c *connection) refuseWith(client net.Conn, t store.EntryType, cause Cause, why string) {
	if why != "" {
		c.entry.CloseReason = why
	}
	c.recordRefusal(t, cause)
	if !closeClient(client, c.relay.cfg.RefusalTimeout) {
		c.mapping.log.Info("reset a refused client that did not close", "client", c.from.String(), "connection", c.entry.ConnectionID)
	}
}

func (c *connection) recordRefusal(t store.EntryType, cause Cause) {
	c.setCause(cause)
	c.ladder.add(fromRelay, "end without a byte: "+cause.String(), 0)
	e := c.entryNow(t)
	if c.relay.floods.counts(e) {
		c.writeAccess()
		c.relay.auditConnection(e)
	}
}

func (c *connection) closed(why string) {
	c.entry.CloseReason = why
	c.ladder.add(fromRelay, "end: "+why, 0)
	c.audit(store.Closed)
}

func (c *connection) setCause(cause Cause) {
	c.entry.Code, c.entry.Reason = string(cause), cause.Text("en")
}

// writeAccess writes the ACCESS that was held back.
func (c *connection) writeAccess() {
	if !c.access {
		return
	}
	c.access = false
	e := entryOf(c.mapping.mapping(), store.Access, c.began)
	e.ConnectionID, e.Source = c.entry.ConnectionID, c.from
	c.relay.auditConnection(e)
}

func (c *connection) audit(t store.EntryType) {
	c.writeAccess()
	c.relay.auditConnection(c.entryNow(t))
}

// entryNow is an entry of this moment; the last of a connection carries its ladder.
func (c *connection) entryNow(t store.EntryType) store.Entry {
	e := c.entry
	e.Type, e.Time = t, c.relay.cfg.Clock.Now()
	e.Duration = e.Time.Sub(c.began)
	if t != store.Connected {
		e.Ladder = c.ladder.all()
	}
	return e
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
