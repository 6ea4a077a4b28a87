package netstack

import (
	"net/netip"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/stack"
)

// AbortRemote resets every TCP connection with this remote address, whatever its state: those that were accepted, those that are
// being dialled, and those that the application has closed and that still send. It is for an address that goes to another host.
func (s *Stack) AbortRemote(remote netip.Addr) {
	if s.enter() != nil {
		return
	}
	defer s.mu.RUnlock()
	want := tcpAddr(remote.Unmap())
	for _, list := range [][]stack.TransportEndpoint{s.stack.RegisteredEndpoints(), s.stack.CleanupEndpoints()} {
		for _, te := range list {
			ep, ok := te.(tcpip.Endpoint)
			if !ok {
				continue
			}
			if a, terr := ep.GetRemoteAddress(); terr == nil && a.Addr == want {
				te.Abort()
			}
		}
	}
}
