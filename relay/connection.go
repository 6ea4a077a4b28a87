package relay

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync/atomic"
	"time"

	"minato/relay/splice"
	"minato/relay/store"
)

// connection is one client's connection to a mapping, from accept to its end.
//
//	accept -> [PROXY header] -> mapping alive? source allowed? room? -> ACCESS -> [TLS: ClientHello, handshake] -> dial the SIM -> CONNECTED -> splice -> CLOSED
//	                              | DENIED R12, R13   | REFUSED R16           | DENIED R01-R06, R14, R15     | CLOSED R09-R11, R37         | R07, R08, R13, R17, R18
//	                              |                   |                       |        R18, R38              |                             |
//
// It writes its audit entries in that order, all with its id. ACCESS is held back until there is another entry to follow it, so that refusals
// which are only counted leave none.
type connection struct {
	mapping  *portMapping
	relay    *Relay
	client   net.Conn
	from     netip.AddrPort
	early    []byte // of the client, read with a balancer's header
	began    time.Time
	id       string
	entry    store.Entry // what all its entries have in common so far
	access   bool        // ACCESS is to be written before the next entry
	admitted bool        // it counts towards the limits, and is among the live ones
	over     time.Time   // when it ended; zero: it has not
	ladder   ladder
	cut      context.CancelCauseFunc

	inside func() // tells the console that the device is connected; nil for a client that came to the mapping's port

	sniffed // by the goroutines that copy, until the splice has ended

	session atomic.Pointer[splice.Session] // nil until the device is connected
}

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

// serve carries the connection to its end, and calls done then: before it returns, or from the splice's goroutine. ctx cuts it.
func (c *connection) serve(ctx context.Context, done func()) {
	ctx, c.cut = context.WithCancelCause(ctx)
	// Until the splice owns the connection, this cuts whatever waits on it.
	stopCut := context.AfterFunc(ctx, func() { c.client.Close() })
	if client, target := c.establish(ctx); target != nil {
		if stopCut() {
			c.audit(store.Connected)
			if c.inside != nil {
				c.inside()
			}
			c.splice(ctx, client, target, done)
			return
		}
		target.Close()
		c.client.Close()
		c.closedBy(ctx)
	}
	stopCut()
	c.leave(done)
}

// leave gives back what the connection has taken.
func (c *connection) leave(done func()) {
	c.makeRoom()
	c.cut(nil)
	if c.mapping.OneTime {
		c.mapping.connectionEnded(c.id)
	}
	done()
}

// makeRoom gives back the connection's part of the limits. Once more does nothing.
func (c *connection) makeRoom() {
	if !c.admitted {
		return
	}
	c.admitted = false
	c.mapping.live.Add(-1)
	c.relay.live.remove(c)
	c.relay.limits.give(c.from.Addr(), c.mapping.SIMID)
}

// establish does all that comes before the splice. Without a target it was refused, or ended.
func (c *connection) establish(ctx context.Context) (client, target net.Conn) {
	if c.inside != nil {
		c.ladder.add(fromClient, say(wordConsole), 0)
	} else {
		c.ladder.add(fromClient, say(wordConnection), 0)
		if !c.proxied() {
			return nil, nil
		}
	}
	if !c.admit() {
		return nil, nil
	}
	c.admitted = true
	c.relay.live.add(c)
	c.access = true
	client = c.client
	if c.mapping.TLS && c.inside == nil {
		t := c.startTLS(ctx)
		if t == nil {
			return nil, nil
		}
		client = t
	}
	c.writeAccess()
	target, err := c.dial(ctx)
	if err != nil {
		c.unreachable(ctx, client, err)
		return nil, nil
	}
	if !c.spend(ctx, client, target) {
		return nil, nil
	}
	return client, target
}

// admit checks that the mapping is alive, the source address, and the number of connections. What it lets in must be given back to the limits.
func (c *connection) admit() bool {
	m := c.mapping
	switch {
	case m.hasEnded(c.began):
		c.entry.End = sayEnded(m.endedAt())
		if m.mapping().SpentBy != "" {
			c.entry.End = say(wordUsed)
		}
		c.refuse(store.Denied, CauseExpired)
		return false
	case !m.allows(c.from.Addr()):
		c.entry.End = say(wordNotInRanges, c.from.Addr(), joinRanges(m.Sources))
		c.refuse(store.Denied, CauseSourceDenied)
		return false
	}
	limit := c.relay.cfg.MaxConnections
	if m.live.Add(1) > int64(limit) {
		m.live.Add(-1)
		c.entry.End = say(wordLimitMapping, limit)
		c.refuse(store.Refused, CauseTooMany)
		return false
	}
	if full := c.relay.limits.take(c.from.Addr(), m.SIMID, c.relay.cfg.Clock.Now()); !full.IsZero() {
		m.live.Add(-1)
		c.entry.End = full
		c.refuse(store.Refused, CauseTooMany)
		return false
	}
	return true
}

// sayEnded tells when a mapping ended.
func sayEnded(at time.Time) store.Words { return say(wordEndedAt, at.UTC().Format(time.RFC3339)) }

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

// dial connects to the device. Only now: what does not get this far costs the device nothing.
func (c *connection) dial(ctx context.Context) (net.Conn, error) {
	c.ladder.add(fromRelay, say(wordDial), 0)
	target, err := c.mapping.dial(ctx)
	if err != nil {
		c.ladder.add(fromDevice, say(wordNotReached, string(causeOfDial(err))), 0)
		return nil, err
	}
	c.ladder.add(fromDevice, say(wordConnected), 0)
	return target, nil
}

// unreachable tells of a device that was not reached: ACCESS without CONNECTED, as in Napter's log.
func (c *connection) unreachable(ctx context.Context, client net.Conn, err error) {
	if ctx.Err() != nil {
		c.closedBy(ctx)
		return
	}
	cause := causeOfDial(err)
	c.setCause(cause)
	c.closed(say(wordUnreachable, err, string(cause)))
	closeClient(client, c.relay.cfg.RefusalTimeout)
}

// splice copies both ways until the end, and leaves then. It returns before.
func (c *connection) splice(ctx context.Context, client, target net.Conn, done func()) {
	cfg := &c.relay.cfg
	s := splice.New(client, target, splice.Config{
		IdleTimeout:  cfg.IdleTimeout,
		CloseTimeout: cfg.CloseTimeout,
		FromClient:   c.early,
		Watch:        splice.Watch{First: c.firstBytes, Ended: c.ended},
		CloseClient:  func(client net.Conn) { closeClient(client, cfg.RefusalTimeout) },
		Parker:       c.relay.parker,
		Go:           c.relay.workers.do,
	})
	c.early = nil
	c.session.Store(s)
	s.Start(ctx, func(res splice.Result) {
		c.spliced(ctx, res)
		c.leave(done)
	})
}

// spliced records how the session ended. Asking the device why is no part of the connection, which others need not wait for.
func (c *connection) spliced(ctx context.Context, res splice.Result) {
	c.makeRoom()
	c.end(sayEnd(res))
	c.entry.BytesUp, c.entry.BytesDown = res.Up, res.Down
	cause := c.causeOfEnd(res)
	if cause == CauseDeviceHungUp && c.clientTLS() && c.mapping.greeting(ctx, probeFailure).waits() { // as of now: what it did minutes ago says nothing of why it hangs up
		cause = CauseTLSOnPlaintext // it was the ClientHello that the device hung up on, as a Modbus server must
	}
	c.setCause(cause)
	c.nameProtocols()
	c.audit(store.Closed)
}

func (c *connection) closed(why store.Words) {
	c.end(why)
	c.audit(store.Closed)
}

// end is the moment of the connection's end, for the entry that tells of it.
func (c *connection) end(why store.Words) {
	c.entry.End, c.over = why, c.relay.cfg.Clock.Now()
	c.ladder.add(fromRelay, store.Words{Code: string(wordEnd), Args: append([]string{why.Code}, why.Args...)}, 0)
}

// closedBy is closed for a connection that was cut before its splice began.
func (c *connection) closedBy(ctx context.Context) {
	why := context.Cause(ctx)
	if errors.Is(why, errExpired) {
		c.setCause(CauseExpired)
	}
	c.closed(sayError(why))
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

// entryNow is an entry of this moment, or of the end where there was one; the last of a connection carries its ladder.
func (c *connection) entryNow(t store.EntryType) store.Entry {
	e := c.entry
	e.Type, e.Time = t, c.over
	if c.over.IsZero() {
		e.Time = c.relay.cfg.Clock.Now()
	}
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
