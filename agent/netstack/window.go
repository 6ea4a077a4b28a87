package netstack

import (
	"gvisor.dev/gvisor/pkg/tcpip/checksum"
	"gvisor.dev/gvisor/pkg/tcpip/header"
)

// offerLess takes one unit (of the window scale) off the receive window that a TCP segment offers.
//
// gVisor rounds what is left of a window down to whole units, and so takes back up to a unit less one octet of what it has offered. RFC 7323
// section 2.4 expects that of a scaled window, and wants the receiver to take all the same what it had offered before. gVisor does not: it drops
// what a peer has sent into those octets, and, when the window comes to nothing there, every acknowledgement as well, which RFC 9293 section
// 3.10.7.4 excepts. Then nobody comes any further where an application writes before it reads again (an echo): its data is not acknowledged, so it
// does not read, so the window stays shut. Linux fills a window to its last octet; a peer that was offered a unit less does not get there.
func offerLess(p []byte) {
	at := 0
	switch {
	case len(p) >= header.IPv4MinimumSize && p[0]>>4 == 4 && p[9] == uint8(header.TCPProtocolNumber) && header.IPv4(p).FragmentOffset() == 0:
		at = int(header.IPv4(p).HeaderLength())
	case len(p) >= header.IPv6MinimumSize && p[0]>>4 == 6 && p[6] == uint8(header.TCPProtocolNumber):
		at = header.IPv6MinimumSize
	default:
		return
	}
	if len(p) < at+header.TCPMinimumSize {
		return
	}
	tcp := header.TCP(p[at:])
	w := tcp.WindowSize()
	if w == 0 || tcp.Flags()&(header.TCPFlagSyn|header.TCPFlagRst) != 0 { // the window of a SYN is not scaled
		return
	}
	tcp.SetWindowSize(w - 1)
	tcp.SetChecksum(^checksum.Combine(^tcp.Checksum(), checksum.Combine(w-1, ^w))) // RFC 1624, equation 3
}
