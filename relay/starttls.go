package relay

import (
	"context"
	"crypto/tls"
	"fmt"
	"time"

	"minato/relay/recognize"
	"minato/relay/splice"
	"minato/relay/store"
)

// startTLS makes sure that the client speaks TLS before any byte goes out, and does the handshake. Nil: refused.
func (c *connection) startTLS(ctx context.Context) *tlsClient {
	first := readHello(c.client, c.early, c.relay.cfg.SilenceTimeout, c.relay.cfg.HandshakeTimeout)
	c.early = nil
	c.entry.SNI = first.hello.ServerName
	if first.protocol != recognize.Unknown {
		c.entry.Protocol = first.protocol.String()
	}
	switch {
	case ctx.Err() != nil:
		c.closedBy(ctx)
		return nil
	case first.gone:
		c.client.Close()
		c.closed(say(wordClosedEarly))
		return nil
	case first.cause == CauseSilentOnTLS:
		c.ladder.add(fromClient, say(wordSilence), 0)
		c.refuseSilence(ctx)
		return nil
	case first.cause != "":
		c.ladder.add(fromClient, say(wordFirstBytes, first.protocol), int64(first.size))
		if first.broken {
			c.entry.End = say(wordHelloBroken, first.size)
		}
		c.refuse(store.Denied, first.cause)
		return nil
	}
	c.ladder.add(fromClient, say(wordClientHello, tls.VersionName(first.hello.MaxVersion())), int64(first.size))

	wire := &peekedConn{Conn: c.client, peeked: first.bytes}
	g := splice.NewGatherConn(wire)
	conn := tls.Server(g, c.relay.mappingTLS(c.mapping.Mapping))
	began := time.Now()
	c.client.SetDeadline(began.Add(c.relay.cfg.HandshakeTimeout)) // an error shows in the handshake
	if err := conn.Handshake(); err != nil {
		if ctx.Err() != nil {
			c.closedBy(ctx)
			return nil
		}
		if alert, ok := wire.alert(); ok {
			err = fmt.Errorf("remote error: %w", alert)
			c.ladder.add(fromClient, say(wordTLSAlert, alert), alertRecord)
		}
		c.entry.End = say(wordHandshakeFailed, err)
		c.refuse(store.Denied, causeOfHandshake(first.hello, err))
		return nil
	}
	c.relay.metrics.handshakes.Observe(time.Since(began).Seconds())
	wire.shaken()
	c.client.SetDeadline(time.Time{})
	state := conn.ConnectionState()
	c.entry.TLSVersion = tls.VersionName(state.Version)
	what := say(wordHandshake, c.entry.TLSVersion)
	if state.DidResume {
		what = say(wordResumed, c.entry.TLSVersion)
	}
	c.ladder.add(fromRelay, what, 0)
	if len(state.PeerCertificates) > 0 {
		c.ladder.add(fromClient, say(wordClientCertificate, quote(state.PeerCertificates[0].Subject.String())), 0)
	}
	return &tlsClient{TLSConn: g.Wrap(conn), wire: c.client}
}
