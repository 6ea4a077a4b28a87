package relay

import (
	"crypto/tls"
	"io"
	"net"
	"testing"
	"time"
)

// A ClientHello that comes in parts may take as long as a handshake; one that breaks off is called that in the log.
func TestHelloInParts(t *testing.T) {
	whole := hello(&tls.Config{})
	t.Run("slow", func(t *testing.T) {
		client, server := tcpPair(t)
		late := lateConn{Conn: server, silent: 20 * time.Millisecond, then: func() { io.WriteString(client, whole[300:]) }}
		if f := readHello(&late, []byte(whole[:300]), late.silent, patience); f.cause != "" || f.size != len(whole) {
			t.Errorf("read as %+v; want a ClientHello", f)
		}
	})
	for _, tt := range []struct {
		name, code string
		end        func(*net.TCPConn)
	}{
		{"stalls", "R18", func(*net.TCPConn) {}},
		{"ends", "R05", func(c *net.TCPConn) { c.CloseWrite() }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := startRelay(t, Config{SilenceTimeout: 50 * time.Millisecond, HandshakeTimeout: 200 * time.Millisecond})
			conn := r.dial(r.mapping(true))
			io.WriteString(conn, whole[:300])
			tt.end(conn)
			expectEOF(t, conn)
			conn.Close()
			r.awaitAuditOf(conn)
			if e := r.expectCause(tt.code, "DENIED"); e.Protocol != "tls" || e.CloseReason != "300 bytes of a ClientHello came, and no more" {
				t.Errorf("audit entry %+v", e)
			}
		})
	}
}

// lateConn calls then once it may be waited for longer than for silence.
type lateConn struct {
	net.Conn
	silent time.Duration
	then   func()
}

func (c *lateConn) SetReadDeadline(t time.Time) error {
	err := c.Conn.SetReadDeadline(t)
	if time.Until(t) > c.silent {
		c.then()
	}
	return err
}
