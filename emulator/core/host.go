package core

import (
	"errors"
	"fmt"
	"net"
	"net/netip"

	"gvisor.dev/gvisor/pkg/tcpip/header"
)

// Host is a machine beside the network that may talk to every device, and they to it, whether devices may talk to each other or not: this
// machine's own programs, through a TUN device.
type Host struct {
	core  *Core
	addr  netip.Addr
	carry func(packet []byte)
}

// Join adds the host; there may be one at a time. carry takes packets from devices; it is called from several goroutines, must not
// wait, and the packet is valid during the call only.
func (c *Core) Join(addr netip.Addr, carry func(packet []byte)) (*Host, error) {
	if err := checkHostAddr(addr); err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended {
		return nil, net.ErrClosed
	}
	if _, used := c.pool.used[addr]; used || c.isDevice(addr) || c.pool.excluded[addr] {
		return nil, fmt.Errorf("address %q belongs to the network", addr)
	}
	h := &Host{core: c, addr: addr, carry: carry}
	if !c.host.CompareAndSwap(nil, h) {
		return nil, errors.New("another host has joined already")
	}
	return h, nil
}

// Leave takes the host out. Calls of carry may still run.
func (h *Host) Leave() { h.core.host.CompareAndSwap(h, nil) }

// Prefixes are where devices are: the pool, and the fixed addresses outside it.
func (c *Core) Prefixes() []netip.Prefix {
	c.mu.Lock()
	defer c.mu.Unlock()
	list := []netip.Prefix{c.cfg.Pool}
	for _, s := range c.subs {
		if s.Addr.IsValid() && !c.cfg.Pool.Contains(s.Addr) {
			list = append(list, netip.PrefixFrom(s.Addr, 32))
		}
	}
	return list
}

// Deliver takes an IP packet from the host. It keeps no slice. What does not come from the host's address, or is no whole IPv4 packet, is dropped.
func (h *Host) Deliver(packet []byte) {
	packet, ok := wholePacket(packet)
	if !ok || source(packet) != h.addr {
		return
	}
	h.core.forward(packet, func(kind header.ICMPv4Type, code header.ICMPv4Code, nextMTU uint16) {
		if answer := icmpError(h.core.cfg.Gateway, packet, kind, code, nextMTU); answer != nil {
			h.carry(answer)
		}
	})
}

// take brings a device's packet to the host; false when it is for somebody else.
func (h *Host) take(s *Session, packet []byte) bool {
	if h == nil || destination(packet) != h.addr {
		return false
	}
	if packet[8] <= 1 {
		s.refuse(packet, header.ICMPv4TimeExceeded, header.ICMPv4TTLExceeded, 0)
		return true
	}
	b := packetBuffers.Get().(*packetBuffer)
	defer packetBuffers.Put(b)
	p := b.data[:copy(b.data[:], packet)]
	lowerTTL(p)
	h.carry(p)
	return true
}
