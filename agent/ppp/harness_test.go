package ppp_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"testing"
	"testing/synctest"

	"minato/agent/ppp"
	"minato/agent/ppp/hdlc"
	"minato/agent/ppp/ppptest"
)

// The client is at A and the modem at B.
const (
	toClient = ppptest.A
	toModem  = ppptest.B
)

// link is a client and a modem on a line.
type link struct {
	*ppptest.Line
	client, modem *running
}

// bubble runs a test in a synctest bubble, with both ends of a link running.
func bubble(t *testing.T, filter ppptest.Filter, client, modem ppp.Config, test func(t *testing.T, l *link)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		l := &link{Line: ppptest.NewLine(filter)}
		l.client = run(t, ppp.New(l.Ends[ppptest.A], client))
		l.modem = run(t, ppp.New(l.Ends[ppptest.B], modem))
		test(t, l)
		l.client.cancel()
		l.modem.cancel()
		l.client.wait()
		l.modem.wait()
		l.Wait()
	})
}

func modem(auth ppp.AuthProtocol) ppp.Config {
	return ppp.Config{Server: &ppp.Server{Auth: auth, Activate: grant}}
}

func grant(context.Context, ppp.Credentials) (ppp.Lease, error) { return lease, nil }

// rawFrame is a frame on the line, made of the packet after address and control.
func rawFrame(t *testing.T, packet string) []byte {
	t.Helper()
	b, err := hex.DecodeString(packet)
	if err != nil {
		t.Fatal(err)
	}
	return hdlc.AppendFrame(nil, ^uint32(0), []byte{0xff, 0x03}, b)
}

// is tells whether a frame is of this protocol and code, both in hexadecimal.
func is(frame []byte, protoAndCode string) bool {
	frame = bytes.TrimPrefix(frame, []byte{0xff, 0x03})
	return len(frame) > 3 && hex.EncodeToString(frame[:3]) == protoAndCode
}

// Protocols and codes, as is wants them.
const (
	lcpRequest   = "c02101"
	lcpTerminate = "c02105"
	lcpEchoReply = "c0210a"
	ipcpRequest  = "802101"
	ipcpNak      = "802103"
	papRequest   = "c02301"
	chapResponse = "c22302"
	chapSuccess  = "c22303"
)
