package core

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	proxyproto "github.com/pires/go-proxyproto"
)

const datagramMax = 65507 // octets of a UDP datagram over IPv4

// datagramFlow is what one port of the device sends to a service, and its socket on the host's side: replies to it are the port's.
type datagramFlow struct {
	device net.Addr
	header []byte
	host   *net.UDPConn
	last   atomic.Int64 // nanoseconds since the epoch
}

func (f *datagramFlow) touch() { f.last.Store(time.Now().UnixNano()) }

// datagramFlows are a session's flows to one service.
type datagramFlows struct {
	mu   sync.Mutex
	list map[netip.AddrPort]*datagramFlow
	wg   sync.WaitGroup
}

// carryDatagrams brings datagrams to the host until the gateway ends; then every flow has ended.
func (s *Session) carryDatagrams(service *PlatformService, target netip.AddrPort, conn net.PacketConn) {
	flows := &datagramFlows{list: make(map[netip.AddrPort]*datagramFlow)}
	defer flows.wg.Wait()
	defer flows.closeAll()
	defer conn.Close()
	defer context.AfterFunc(s.ctx, func() { conn.Close() })()
	buf := make([]byte, datagramMax)
	var out []byte
	for {
		n, from, err := conn.ReadFrom(buf)
		if err != nil {
			return
		}
		f, err := flows.get(s, from.(*net.UDPAddr), service, target, conn)
		if err != nil {
			s.core.log.Warn("platform service not reached", "service", service.Addr, "target", target, "session", s.id, "error", err)
			continue
		}
		f.touch()
		out = append(append(out[:0], f.header...), buf[:n]...)
		if _, err := f.host.Write(out); errors.Is(err, syscall.ECONNREFUSED) { // what an earlier datagram met: this one was not sent
			f.host.Write(out)
		}
	}
}

// get finds the flow or makes one. When there are too many the one that was silent longest goes.
func (d *datagramFlows) get(s *Session, from *net.UDPAddr, service *PlatformService, target netip.AddrPort, conn net.PacketConn) (*datagramFlow, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	key := from.AddrPort()
	if f := d.list[key]; f != nil {
		return f, nil
	}
	header, err := proxyHeader(proxyproto.UDPv4, from, net.UDPAddrFromAddrPort(service.Addr))
	if err != nil {
		return nil, err
	}
	host, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(target))
	if err != nil {
		return nil, err
	}
	if len(d.list) >= platformFlows {
		var oldest *datagramFlow
		for _, f := range d.list {
			if oldest == nil || f.last.Load() < oldest.last.Load() {
				oldest = f
			}
		}
		oldest.host.Close()
		delete(d.list, oldest.device.(*net.UDPAddr).AddrPort())
	}
	f := &datagramFlow{device: from, header: header, host: host}
	f.touch()
	d.list[key] = f
	d.wg.Go(func() { d.carryReplies(f, conn, s.core.cfg.PlatformIdle) })
	return f, nil
}

// carryReplies brings what the host sends to the device. It ends when the flow is idle, or its socket is closed.
func (d *datagramFlows) carryReplies(f *datagramFlow, conn net.PacketConn, idle time.Duration) {
	defer d.remove(f)
	buf := make([]byte, datagramMax)
	for {
		f.host.SetReadDeadline(time.Unix(0, f.last.Load()).Add(idle))
		n, err := f.host.Read(buf)
		switch {
		case err == nil:
			f.touch()
			conn.WriteTo(buf[:n], f.device)
		case errors.Is(err, syscall.ECONNREFUSED): // nobody listens at the moment
		case errors.Is(err, net.ErrClosed) || time.Since(time.Unix(0, f.last.Load())) >= idle:
			return
		}
	}
}

func (d *datagramFlows) remove(f *datagramFlow) {
	d.mu.Lock()
	defer d.mu.Unlock()
	f.host.Close()
	key := f.device.(*net.UDPAddr).AddrPort()
	if d.list[key] == f {
		delete(d.list, key)
	}
}

func (d *datagramFlows) closeAll() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, f := range d.list {
		f.host.Close()
	}
}
