package netstack

import (
	"fmt"
	"time"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/transport/tcp"
)

// Buffers start small, for a Raspberry Pi with many idle connections, and are tuned up to what a fast link needs.
const (
	minBuffer     = 4 << 10
	defaultBuffer = 256 << 10
	maxBuffer     = 4 << 20
)

// A radio link that is gone for a minute often comes back, and a device that is gone must not hold a service's connection for ever.
// Keep-alive finds the second, the user timeout (RFC 5482) bounds both.
const (
	keepAliveIdle     = 60 * time.Second
	keepAliveInterval = 15 * time.Second
	keepAliveCount    = 8
	userTimeout       = 3 * time.Minute
)

// tuneTCP sets the options of the whole host.
func (s *Stack) tuneTCP() error {
	sack := tcpip.TCPSACKEnabled(true)
	recv := tcpip.TCPReceiveBufferSizeRangeOption{Min: minBuffer, Default: defaultBuffer, Max: maxBuffer}
	send := tcpip.TCPSendBufferSizeRangeOption{Min: minBuffer, Default: defaultBuffer, Max: maxBuffer}
	moderate := tcpip.TCPModerateReceiveBufferOption(true)
	recovery := tcpip.TCPRecovery(0) // RACK off: after a burst of losses gVisor's stands still for seconds (measured with BenchmarkSOCKS)
	for _, o := range []tcpip.SettableTransportProtocolOption{&sack, &recv, &send, &moderate, &recovery} {
		if err := s.stack.SetTransportProtocolOption(tcp.ProtocolNumber, o); err != nil {
			return fmt.Errorf("setting TCP option %T: %w", o, convert(err))
		}
	}
	return nil
}

// tuneConn sets the options of one connection. Every error would mean an option that gVisor does not know, so none is reported:
// the connection works without.
func tuneConn(ep tcpip.Endpoint) {
	idle, interval, timeout := tcpip.KeepaliveIdleOption(keepAliveIdle), tcpip.KeepaliveIntervalOption(keepAliveInterval), tcpip.TCPUserTimeoutOption(userTimeout)
	ep.SetSockOpt(&idle)
	ep.SetSockOpt(&interval)
	ep.SetSockOpt(&timeout)
	ep.SetSockOptInt(tcpip.KeepaliveCountOption, keepAliveCount)
	ep.SocketOptions().SetKeepAlive(true)
}
