package env

import (
	"bufio"
	"encoding/binary"
	"io"
	"net"
)

// RDPRequest is an X.224 connection request as an RDP client begins with ([MS-RDPBCGR] section 2.2.1.1): TPKT, X.224 CR, and RDP_NEG_REQ asking for TLS.
var RDPRequest = []byte{
	0x03, 0x00, 0x00, 0x13, 0x0e, 0xe0, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x01, 0x00, 0x08, 0x00, 0x01, 0x00, 0x00, 0x00,
}

// rdpConfirm is the answer ([MS-RDPBCGR] section 2.2.1.2): X.224 CC, and RDP_NEG_RSP choosing TLS.
var rdpConfirm = []byte{
	0x03, 0x00, 0x00, 0x13, 0x0e, 0xd0, 0x00, 0x00, 0x12, 0x34, 0x00,
	0x02, 0x00, 0x08, 0x00, 0x01, 0x00, 0x00, 0x00,
}

// RDPService answers a connection request as a remote desktop does. What follows on a real one is TLS of its own.
func RDPService() Service {
	return Service{Name: "rdp", Port: 3389, Handle: func(c net.Conn) {
		in := bufio.NewReader(c)
		head, err := in.Peek(4)
		if err != nil || head[0] != 3 {
			return
		}
		if _, err := in.Discard(int(binary.BigEndian.Uint16(head[2:]))); err != nil {
			return
		}
		if _, err := c.Write(rdpConfirm); err != nil {
			return
		}
		io.Copy(io.Discard, in) // until the client ends
	}}
}
