package ppp

import (
	"net/netip"
	"slices"
)

// notReady1 and notReady2 are the name servers that Qualcomm's modems suggest while their bearer is not up: they mean "ask again".
var (
	notReady1 = netip.AddrFrom4([4]byte{10, 11, 12, 13})
	notReady2 = netip.AddrFrom4([4]byte{10, 11, 12, 14})
)

// ipcpClient asks the peer for an address and two name servers, and takes what it is told.
type ipcpClient struct {
	asked  []byte // options still asked for
	values map[byte]netip.Addr
	peer   netip.Addr
}

func (c *ipcpClient) reset() {
	c.asked = []byte{optIPAddress, optPrimaryDNS, optSecondaryDNS}
	c.values = map[byte]netip.Addr{}
	c.peer = netip.Addr{}
}

func (c *ipcpClient) request() []option {
	var opts []option
	for _, kind := range c.asked {
		opts = append(opts, addrOption(kind, c.values[kind]))
	}
	return opts
}

// nak takes the values for what we asked. The peer may suggest more, NetBIOS name servers for one, which we have no use for.
func (c *ipcpClient) nak(opts []option) {
	for _, o := range opts {
		if addr, ok := o.addr(); ok && slices.Contains(c.asked, o.kind) {
			c.values[o.kind] = addr
		}
	}
}

func (c *ipcpClient) reject(opts []option) {
	for _, o := range opts {
		c.asked = slices.DeleteFunc(c.asked, func(kind byte) bool { return kind == o.kind })
		delete(c.values, o.kind)
	}
}

// peerAddr is for a peer that asks what its own address is (RFC 1332, 3.3). Modems do not; a server that is refused one may hang up. It is
// what pppd and lwIP make up for a peer without one; it never shows, since packets go out by the link in any case.
var peerAddr = netip.AddrFrom4([4]byte{10, 64, 64, 64})

// judge lets the peer name its address or, as modems do, none.
func (c *ipcpClient) judge(opts []option) verdict {
	var v verdict
	c.peer = netip.Addr{}
	for _, o := range opts {
		addr, ok := o.addr()
		switch {
		case o.kind != optIPAddress || !ok:
			v.reject = append(v.reject, o)
		case addr.IsUnspecified():
			v.nak = append(v.nak, addrOption(optIPAddress, peerAddr))
		default:
			c.peer = addr
		}
	}
	return v
}

// agreed is what the negotiation came to; Local is invalid when the peer gave no address.
func (c *ipcpClient) agreed() Params {
	p := Params{Peer: c.peer}
	if addr, ok := c.values[optIPAddress]; ok && !addr.IsUnspecified() {
		p.Local = addr
	}
	for _, kind := range []byte{optPrimaryDNS, optSecondaryDNS} {
		if addr, ok := c.values[kind]; ok && !addr.IsUnspecified() && addr != notReady1 && addr != notReady2 {
			p.DNS = append(p.DNS, addr)
		}
	}
	return p
}

// ipcpServer gives the peer its lease and says nothing of itself: a modem's first Configure-Request is empty, and stays so
// whatever the peer suggests.
type ipcpServer struct {
	lease *Lease // nil: the bearer is not ready
}

func (*ipcpServer) reset()            {}
func (*ipcpServer) request() []option { return nil }
func (*ipcpServer) nak([]option)      {}
func (*ipcpServer) reject([]option)   {}

func (s *ipcpServer) judge(opts []option) verdict {
	var v verdict
	if s.lease == nil {
		return notReady(opts)
	}
	for _, o := range opts {
		addr, ok := o.addr()
		want, known := s.grant(o.kind)
		switch {
		case !ok || !known:
			v.reject = append(v.reject, o)
		case addr != want:
			v.nak = append(v.nak, addrOption(o.kind, want))
		}
	}
	if !hasOption(opts, optIPAddress) {
		v.nak = append(v.nak, addrOption(optIPAddress, s.lease.Addr)) // RFC 1661 section 5.3: a hint to ask for it
	}
	return v
}

// notReady is what modems say while their bearer is not up.
func notReady(opts []option) verdict {
	v := verdict{hint: true, nak: []option{
		addrOption(optPrimaryDNS, notReady1), addrOption(optSecondaryDNS, notReady2),
		addrOption(optPrimaryNBNS, notReady1), addrOption(optSecondaryNBNS, notReady2),
	}}
	for _, o := range opts {
		if _, ok := o.addr(); !ok || o.kind != optIPAddress && o.kind != optPrimaryDNS && o.kind != optSecondaryDNS {
			v.reject = append(v.reject, o)
		}
	}
	return v
}

// grant is the value of an option that the lease has.
func (s *ipcpServer) grant(kind byte) (netip.Addr, bool) {
	switch {
	case kind == optIPAddress:
		return s.lease.Addr, true
	case kind == optPrimaryDNS && len(s.lease.DNS) > 0:
		return s.lease.DNS[0], true
	case kind == optSecondaryDNS && len(s.lease.DNS) > 1:
		return s.lease.DNS[1], true
	}
	return netip.Addr{}, false
}

func (s *ipcpServer) agreed() Params {
	if s.lease == nil {
		return Params{}
	}
	return Params{Peer: s.lease.Addr, DNS: s.lease.DNS}
}
