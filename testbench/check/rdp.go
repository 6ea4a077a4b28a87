package check

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
)

// RDPOptions of "rdp".
type RDPOptions struct {
	Cookie string // sent as mstshash, the routing token, at most 64 letters; "": none, which makes the request 19 bytes long
}

// [MS-RDPBCGR] 2.2.1.1 and 2.2.1.2.
const (
	x224ConnectionRequest = 0xe0
	x224ConnectionConfirm = 0xd0
	rdpNegRequest         = 1
	rdpNegResponse        = 2
	rdpNegFailure         = 3
	rdpWantTLSOrCredSSP   = 3 // PROTOCOL_SSL | PROTOCOL_HYBRID
)

var rdpProtocols = map[uint32]string{0: "standard RDP security", 1: "TLS", 2: "CredSSP", 4: "RDSTLS", 8: "CredSSP with early authorisation"}

var rdpFailures = map[uint32]string{
	1: "the server demands TLS", 2: "the server allows only standard RDP security", 3: "the server has no certificate",
	4: "the flags are inconsistent", 5: "the server demands CredSSP", 6: "the server demands TLS with a client certificate",
}

// RDP sends an X.224 connection request with a negotiation request and reads the server's confirm; it goes no further.
func RDP(ctx context.Context, dial Dial, o Options) (Result, error) {
	return run(ctx, "rdp", o, func(ctx context.Context, r *recorder) error {
		if c := o.RDP.Cookie; len(c) > 64 || strings.ContainsFunc(c, func(r rune) bool { return r <= ' ' || r > '~' }) {
			return fmt.Errorf("cookie %q: want at most 64 printable ASCII characters without blanks", c)
		}
		conn, err := r.dial(ctx, dial)
		if err != nil {
			return err
		}
		r.begin("sending the connection request")
		if _, err := conn.Write(RDPConnectionRequest(o.RDP.Cookie)); err != nil {
			return err
		}
		r.begin("reading the connection confirm")
		protocol, err := readRDPConfirm(conn)
		if err != nil {
			return err
		}
		r.summaryf("the server confirms the connection and chooses %s", protocol)
		return nil
	})
}

// RDPConnectionRequest is TPKT (RFC 1006, 4 bytes), X.224 CR (7 bytes), the cookie if there is one, and RDP_NEG_REQ (8 bytes).
// The cookie has at most 64 letters.
func RDPConnectionRequest(cookie string) []byte {
	if cookie != "" {
		cookie = "Cookie: mstshash=" + cookie + "\r\n"
	}
	size := 4 + 7 + len(cookie) + 8
	b := []byte{3, 0, 0, byte(size), byte(size - 5), x224ConnectionRequest, 0, 0, 0, 0, 0}
	b = append(b, cookie...)
	return append(b, rdpNegRequest, 0, 8, 0, rdpWantTLSOrCredSSP, 0, 0, 0)
}

// AnswerRDP plays a remote desktop as far as the "rdp" check goes: it reads a connection request, confirms it with TLS chosen, and
// waits for the client to close. A client that sends something else gets no answer.
func AnswerRDP(conn net.Conn) {
	var tpkt [4]byte
	if _, err := io.ReadFull(conn, tpkt[:]); err != nil {
		return
	}
	size := int(binary.BigEndian.Uint16(tpkt[2:]))
	if tpkt[0] != 3 || size < 11 || size > 1024 {
		return
	}
	b := make([]byte, size-len(tpkt))
	if _, err := io.ReadFull(conn, b); err != nil || b[1]&0xf0 != x224ConnectionRequest {
		return
	}
	confirm := []byte{3, 0, 0, 19, 14, x224ConnectionConfirm, 0, 0, 0x12, 0x34, 0, rdpNegResponse, 0, 8, 0, 1, 0, 0, 0}
	if _, err := conn.Write(confirm); err != nil {
		return
	}
	io.Copy(io.Discard, conn)
}

// readRDPConfirm gives the protocol that the server chose.
func readRDPConfirm(in io.Reader) (string, error) {
	var tpkt [4]byte
	if n, err := io.ReadFull(in, tpkt[:]); err != nil {
		if n == 0 {
			return "", fmt.Errorf("the server closed without an answer: %w", err)
		}
		return "", fmt.Errorf("after % x: %w", tpkt[:n], err)
	}
	size := int(binary.BigEndian.Uint16(tpkt[2:]))
	if tpkt[0] != 3 {
		return "", hintf(protocolHint(tpkt[:]), "the answer begins % x, which is no TPKT header (03 00)", tpkt)
	}
	if size < 11 || size > 1024 {
		return "", fmt.Errorf("a TPKT of %d bytes, and a connection confirm has 11 to 1024", size)
	}
	b := make([]byte, size-len(tpkt))
	if _, err := io.ReadFull(in, b); err != nil {
		return "", fmt.Errorf("in a confirm of %d bytes: %w", size, err)
	}
	if int(b[0]) != len(b)-1 {
		return "", fmt.Errorf("the X.224 length is %d in a TPKT of %d bytes", b[0], size)
	}
	if b[1]&0xf0 != x224ConnectionConfirm {
		return "", fmt.Errorf("X.224 code %#02x, and a connection confirm is 0xd0", b[1])
	}
	neg := b[7:]
	if len(neg) == 0 {
		return rdpProtocols[0], nil // a server before RDP 5.2 negotiates nothing
	}
	if len(neg) < 8 || binary.LittleEndian.Uint16(neg[2:]) != 8 {
		return "", fmt.Errorf("a negotiation answer % x, and 8 bytes are wanted", neg)
	}
	value := binary.LittleEndian.Uint32(neg[4:])
	switch neg[0] {
	case rdpNegResponse:
		return or(rdpProtocols[value], fmt.Sprintf("protocol %#x", value)), nil
	case rdpNegFailure:
		return "", errors.New(or(rdpFailures[value], fmt.Sprintf("failure code %d", value)))
	}
	return "", fmt.Errorf("negotiation answer of type %d, and 2 or 3 is wanted", neg[0])
}
