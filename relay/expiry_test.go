package relay

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"testing"
	"time"

	"minato/relay/relayapi"
)

// R13 also where the end comes before the device is reached.
func TestExpiryBeforeTheDevice(t *testing.T) {
	for _, tt := range []struct {
		name  string
		tlsOn bool
		sends string
		await string
	}{
		{"in the ClientHello", true, "\x16\x03\x01\x02\x00", "connection"},
		{"in the handshake", true, hello(&tls.Config{}), "answer"},
		{"while the device is dialled", false, "", "dial"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			clock := newFakeClock()
			dialling := make(chan struct{})
			r := startRelay(t, Config{Clock: clock, SilenceTimeout: patience, HandshakeTimeout: patience,
				Network: networkFunc(func(ctx context.Context, _ string, _ uint16) (net.Conn, error) {
					close(dialling)
					<-ctx.Done()
					return nil, ctx.Err()
				})})
			m := r.mapping(tt.tlsOn)
			conn := r.dial(m)
			io.WriteString(conn, tt.sends)
			switch tt.await {
			case "dial":
				<-dialling
			case "connection":
				r.awaitLive(1, 0)
			case "answer":
				if _, err := io.ReadFull(conn, make([]byte, 1)); err != nil {
					t.Fatal(err)
				}
			}
			clock.Advance(time.Hour)
			io.Copy(io.Discard, conn)
			if e := r.awaitAuditOf(conn); e.Type != relayapi.AuditClosed || e.Code != "R13" {
				t.Errorf("audit entry %+v; want CLOSED R13", e)
			}
		})
	}
}
