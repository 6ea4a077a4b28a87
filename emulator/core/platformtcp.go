package core

import (
	"context"
	"net"
	"net/netip"
	"sync/atomic"
	"time"

	proxyproto "github.com/pires/go-proxyproto"
)

// carryStream connects a device to the host, until both sides have ended or nothing has moved for the idle time.
func (s *Session) carryStream(service *PlatformService, target netip.AddrPort, device *doorConn) {
	dialer := net.Dialer{Timeout: platformDial}
	conn, err := dialer.DialContext(s.ctx, "tcp", target.String())
	if err != nil {
		s.core.log.Warn("platform service not reached", "service", service.Addr, "target", target, "session", s.id, "error", err)
		device.Abort()
		return
	}
	host := &activeConn{Conn: conn}
	defer host.Close()
	header, err := proxyHeader(proxyproto.TCPv4, device.RemoteAddr(), device.LocalAddr())
	if err == nil {
		_, err = host.Write(header)
	}
	if err != nil {
		device.Abort()
		return
	}
	// Neither direction may look at the session for as long as the host takes nothing and sends nothing.
	defer context.AfterFunc(s.ctx, func() { cut(host, device) })()
	idle := s.core.cfg.PlatformIdle
	var timer *time.Timer
	ready := make(chan struct{})
	timer = time.AfterFunc(idle, func() {
		<-ready
		if left := idle - host.idle(); left > 0 {
			timer.Reset(left)
			return
		}
		cut(host, device)
	})
	close(ready)
	defer timer.Stop()
	relay(host, device)
}

// proxyHeader is a PROXY protocol header, version 2.
func proxyHeader(transport proxyproto.AddressFamilyAndProtocol, device, service net.Addr) ([]byte, error) {
	h := proxyproto.Header{
		Version: 2, Command: proxyproto.PROXY, TransportProtocol: transport, SourceAddr: device, DestinationAddr: service,
	}
	return h.Format()
}

// activeConn notes when bytes last moved. Of the connection it shows nothing that would let them move unseen.
type activeConn struct {
	net.Conn
	last atomic.Int64 // nanoseconds since the epoch
}

func (c *activeConn) CloseWrite() error       { return c.Conn.(*net.TCPConn).CloseWrite() }
func (c *activeConn) SetLinger(sec int) error { return c.Conn.(*net.TCPConn).SetLinger(sec) }

func (c *activeConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.last.Store(time.Now().UnixNano())
	return n, err
}

func (c *activeConn) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	c.last.Store(time.Now().UnixNano())
	return n, err
}

func (c *activeConn) idle() time.Duration {
	return time.Duration(time.Now().UnixNano() - c.last.Load())
}
