package splice

import (
	"crypto/tls"
	"net"
	"testing"
)

// closer notes its name when it is closed.
type closer struct {
	net.Conn
	name   string
	closed *[]string
}

func (c closer) Close() error {
	*c.closed = append(*c.closed, c.name)
	return nil
}

// tlsCloser is taken for TLS.
type tlsCloser struct{ closer }

func (tlsCloser) ConnectionState() (s tls.ConnectionState) { return s }

// The side without TLS does not wait for the other, whose peer may take nothing.
func TestCloseOrder(t *testing.T) {
	for _, clientTLS := range []bool{true, false} {
		var closed []string
		plain, secured := closer{nil, "plain", &closed}, tlsCloser{closer{nil, "TLS", &closed}}
		if clientTLS {
			New(secured, plain, Config{}).close()
		} else {
			New(plain, secured, Config{}).close()
		}
		if len(closed) != 2 || closed[0] != "plain" || closed[1] != "TLS" {
			t.Errorf("client TLS %v: closed %q, want the plain side first", clientTLS, closed)
		}
	}
}
