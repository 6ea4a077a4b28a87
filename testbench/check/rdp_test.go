package check

import (
	"bytes"
	"io"
	"net"
	"testing"
)

// Bytes of [MS-RDPBCGR] 4.1.1 and 4.1.2, "Client X.224 Connection Request PDU" and "Server X.224 Connection Confirm PDU".
const (
	msRequest = "\x03\x00\x00\x2c\x27\xe0\x00\x00\x00\x00\x00Cookie: mstshash=eltons\r\n\x01\x00\x08\x00\x00\x00\x00\x00"
	msConfirm = "\x03\x00\x00\x13\x0e\xd0\x00\x00\x12\x34\x00\x02\x00\x08\x00\x00\x00\x00\x00"
)

func TestRDPRequest(t *testing.T) {
	got := RDPConnectionRequest("eltons")
	want := []byte(msRequest)
	want[len(want)-4] = 3 // the example asks for standard security, we for TLS or CredSSP
	if !bytes.Equal(got, want) {
		t.Errorf("got  % x\nwant % x", got, want)
	}
	if n := len(RDPConnectionRequest("")); n != 19 {
		t.Errorf("%d bytes without a cookie, want 19", n)
	}
}

func TestRDP(t *testing.T) {
	passes(t, "rdp", serve(t, func(conn *net.TCPConn) { AnswerRDP(conn) }), Options{RDP: RDPOptions{Cookie: "technician"}}, "chooses TLS")
	passes(t, "rdp", says(t, msConfirm), Options{}, "chooses standard RDP security")
	passes(t, "rdp", says(t, "\x03\x00\x00\x0b\x06\xd0\x00\x00\x12\x34\x00"), Options{}, "chooses standard RDP security")
	fails(t, "rdp", says(t, "\x03\x00\x00\x13\x0e\xd0\x00\x00\x12\x34\x00\x03\x00\x08\x00\x05\x00\x00\x00"), Options{}, "reading the connection confirm", "the server demands CredSSP", "")
	fails(t, "rdp", says(t, "SSH-2.0-OpenSSH_9.2\r\n"), Options{}, "reading the connection confirm", "53 53 48 2d", "SSH server")
	fails(t, "rdp", says(t, "\x03\x00\xff\xff"), Options{}, "reading the connection confirm", "a TPKT of 65535 bytes", "")
	fails(t, "rdp", says(t, "\x03\x00\x00\x0b\x07\xd0\x00\x00\x12\x34\x00"), Options{}, "reading the connection confirm", "X.224 length is 7", "")
	fails(t, "rdp", says(t, "\x03\x00\x00\x0b\x06\xe0\x00\x00\x12\x34\x00"), Options{}, "reading the connection confirm", "code 0xe0", "")
	fails(t, "rdp", says(t, ""), Options{RDP: RDPOptions{Cookie: "a b"}}, "starting", "printable", "")
}

// AnswerRDP says nothing to what is no connection request.
func TestAnswerRDPRefuses(t *testing.T) {
	for _, text := range []string{"SSH-2.0-x\r\n", "\x03\x00\x00\x0b\x06\xd0\x00\x00\x00\x00\x00"} {
		client, server := net.Pipe()
		go func() { AnswerRDP(server); server.Close() }()
		go client.Write([]byte(text))
		got, err := io.ReadAll(client)
		if len(got) > 0 || err != nil {
			t.Errorf("%q: answer % x, %v", text, got, err)
		}
		client.Close()
	}
}

func FuzzReadRDPConfirm(f *testing.F) {
	f.Add([]byte(msConfirm))
	f.Add([]byte("\x03\x00\x00\x0b\x06\xd0\x00\x00\x12\x34\x00"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if protocol, err := readRDPConfirm(bytes.NewReader(b)); err == nil && protocol == "" {
			t.Error("neither a protocol nor an error")
		}
	})
}
