package relay

import (
	"bufio"
	"net/netip"
	"time"

	"github.com/pires/go-proxyproto"
)

// trusts tells whether an address is a balancer's whose PROXY header is believed. From any other a header is data like all else.
func (r *Relay) trusts(a netip.Addr) bool { return contains(r.cfg.TrustedProxies, a) }

// proxied takes a trusted balancer's PROXY header off the connection: the client is the one that it names. False: there is nobody to serve.
func (c *connection) proxied() bool {
	if !c.relay.trusts(c.from.Addr()) {
		return true
	}
	c.client.SetReadDeadline(time.Now().Add(c.relay.cfg.SilenceTimeout)) // an error shows in Read
	// What comes with the header stays in this buffer, and the socket stays what it is, so that the kernel may still splice.
	buffered := bufio.NewReader(c.client)
	h, err := proxyproto.Read(buffered)
	if err != nil || h.Command.IsLocal() { // a balancer's own check of the port is no client
		if err != nil {
			c.mapping.log.Warn("a balancer sent no good PROXY header", "balancer", c.from.String(), "error", err)
		}
		c.client.Close()
		return false
	}
	c.client.SetReadDeadline(time.Time{})
	source := addrPort(h.SourceAddr)
	if !source.IsValid() {
		c.mapping.log.Warn("a balancer's PROXY header names no address", "balancer", c.from.String())
		c.client.Close()
		return false
	}
	if n := buffered.Buffered(); n > 0 {
		c.early, _ = buffered.Peek(n) // all there
	}
	c.ladder.add(fromRelay, say(wordProxyHeader, c.from.Addr()), 0)
	c.setFrom(source)
	return true
}
