package agent

import (
	"encoding/binary"
	"net"
	"net/netip"
)

// proxySignature begins a header of the PROXY protocol, version 2.
const proxySignature = "\r\n\r\n\x00\r\nQUIT\n"

// proxyHeader tells a local server who its client is (PROXY protocol, version 2, section 2.2).
func proxyHeader(from, to net.Addr) []byte {
	src, dst := addrPortOf(from), addrPortOf(to)
	h := append([]byte(proxySignature), 0x21) // version 2, PROXY
	switch {
	case src.Addr().Is4() && dst.Addr().Is4():
		h = append(h, 0x11, 0, 12)
	case src.Addr().Is6() && dst.Addr().Is6():
		h = append(h, 0x21, 0, 36)
	default:
		return append([]byte(proxySignature), 0x20, 0, 0, 0) // LOCAL: nothing is told
	}
	h = append(append(h, src.Addr().AsSlice()...), dst.Addr().AsSlice()...)
	h = binary.BigEndian.AppendUint16(h, src.Port())
	return binary.BigEndian.AppendUint16(h, dst.Port())
}

func addrPortOf(a net.Addr) netip.AddrPort {
	t, ok := a.(*net.TCPAddr)
	if !ok {
		return netip.AddrPort{}
	}
	p := t.AddrPort()
	return netip.AddrPortFrom(p.Addr().Unmap().WithZone(""), p.Port())
}
