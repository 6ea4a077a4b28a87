package relay

import (
	"crypto/tls"
	"io"
	"net"
	"sync"
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
		handshake  time.Duration
		end        func(*net.TCPConn)
	}{
		{"stalls", "R18", 500 * time.Millisecond, func(*net.TCPConn) {}},
		{"ends", "R05", patience, func(c *net.TCPConn) { c.CloseWrite() }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			said := make(chan struct{})
			let := sync.OnceFunc(func() { close(said) })
			r := startRelay(t, Config{SilenceTimeout: 500 * time.Millisecond, HandshakeTimeout: tt.handshake, Listen: afterWords(said)})
			t.Cleanup(let) // before the relay's end, which waits for Accept
			conn := r.dial(r.mapping(true))
			io.WriteString(conn, whole[:300])
			tt.end(conn)
			let()
			expectEOF(t, conn)
			conn.Close()
			r.awaitAuditOf(conn)
			if e := r.expectCause(tt.code, "DENIED"); e.Protocol != "tls" || e.CloseReason != "300 bytes of a ClientHello came, and no more" {
				t.Errorf("audit entry %+v", e)
			}
		})
	}
}

// afterWords opens mappings' ports on which nobody is let in before said is closed: what a client has said by then is there from the first look, however
// long this test has to wait for its turn.
func afterWords(said <-chan struct{}) func(network, address string) (net.Listener, error) {
	return func(network, address string) (net.Listener, error) {
		l, err := net.Listen(network, address)
		if err != nil || address == "127.0.0.1:0" { // the API's
			return l, err
		}
		return lateListener{l, said}, nil
	}
}

type lateListener struct {
	net.Listener
	said <-chan struct{}
}

func (l lateListener) Accept() (net.Conn, error) {
	<-l.said
	return l.Listener.Accept()
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
