package core

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"slices"

	"gvisor.dev/gvisor/pkg/tcpip/header"

	"minato/agent/netstack"
	"minato/agent/netstack/capture"
)

const ipv4Header = 20 // octets, without options (RFC 791)

// Deliver takes an IP packet from the device. It keeps no slice. What is not a whole IPv4 packet from the session's own address is
// dropped and counted, and so is what goes to another device, unless Config.AllowDeviceToDevice has it forwarded.
func (s *Session) Deliver(packet []byte) {
	s.Gather(packet)
	s.Flush()
}

// Gather is Deliver for packets that come several at a time: the network may hold some back until Flush, which must follow.
func (s *Session) Gather(packet []byte) {
	if s.ending() {
		return
	}
	s.bytesUp.Add(uint64(len(packet)))
	packet, ok := wholePacket(packet)
	if !ok {
		s.malformed.Add(1)
		return
	}
	if s.shaped.Load() {
		s.up.put(packet, s.ctx.Done())
		return
	}
	s.receive(packet)
}

// carryUp brings packets over a link that is, or was, shaped. It ends with the session; the Core waits for it.
func (s *Session) carryUp() {
	s.up.run(s.ctx, func(batch []*packetBuffer) {
		for _, b := range batch {
			s.receive(b.bytes())
		}
		s.gateway.Flush()
	})
}

// receive takes a whole packet that has come over the device's link.
func (s *Session) receive(packet []byte) {
	c := s.core
	if c.capture != nil {
		c.capture.Packet(s.sub.iface, capture.Inbound, packet)
	}
	if source(packet) != s.addr {
		s.spoofed.Add(1)
		return
	}
	if len(packet) > s.mtu { // cellular networks do not fragment, whatever the packet allows
		s.refuse(packet, header.ICMPv4DstUnreachable, header.ICMPv4FragmentationNeeded, uint16(s.mtu))
		return
	}
	if c.host.Load().take(s, packet) {
		return
	}
	if c.isDevice(destination(packet)) {
		if c.cfg.AllowDeviceToDevice {
			c.forward(packet, func(kind header.ICMPv4Type, code header.ICMPv4Code, nextMTU uint16) {
				s.refuse(packet, kind, code, nextMTU)
			})
		} else {
			s.isolated.Add(1)
		}
		return
	}
	s.gateway.Gather(packet)
}

// Flush follows the last of the packets given to Gather.
func (s *Session) Flush() { s.gateway.Flush() }

// isDevice tells whether an address is a device's, now or at another time.
func (c *Core) isDevice(a netip.Addr) bool {
	if slices.Contains(c.own, a) { // which may lie in the pool
		return false
	}
	if c.cfg.Pool.Contains(a) {
		return true
	}
	c.routesMu.RLock()
	defer c.routesMu.RUnlock()
	return c.routes[a] != nil
}

// openGateway makes the network's end of the session, with the network's own services on it.
func (s *Session) openGateway() error {
	c := s.core
	gateway, err := netstack.New(netstack.Config{
		Addrs: c.own, MTU: s.mtu, Queue: gatewayQueue, Logger: c.log, Output: s.output,
	})
	if err != nil {
		return fmt.Errorf("building the gateway: %w", err)
	}
	s.gateway = gateway
	if err := errors.Join(s.listenNames(), s.openPlatform()); err != nil {
		gateway.Close()
		return err
	}
	c.wg.Go(func() { gateway.Run(s.ctx) })
	return nil
}

// output runs in the pump of the session's gateway. It waits while the device's queue is full, and TCP waits behind it.
func (s *Session) output(packets [][]byte) error {
	if c := s.core; c.capture != nil {
		for _, p := range packets {
			c.capture.Packet(s.sub.iface, capture.Outbound, p)
		}
	}
	s.enqueue(packets, true)
	return nil
}

// wholePacket checks the lengths that everything after it relies on, and cuts off a link's padding.
func wholePacket(p []byte) ([]byte, bool) {
	if len(p) < ipv4Header || p[0]>>4 != 4 {
		return nil, false
	}
	head, total := int(p[0]&15)*4, int(binary.BigEndian.Uint16(p[2:]))
	if head < ipv4Header || total < head || total > len(p) || total > mtu {
		return nil, false
	}
	return p[:total], true
}

func source(p []byte) netip.Addr { return netip.AddrFrom4([4]byte(p[12:16])) }

// destination of what is known to be IPv4: the gateway sends nothing else.
func destination(p []byte) netip.Addr {
	if len(p) < ipv4Header {
		return netip.Addr{}
	}
	return netip.AddrFrom4([4]byte(p[16:20]))
}
