package splice

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"math/big"
	"net"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience bounds every wait of these tests, on a loaded machine too.
const patience = time.Minute

// pair is a connection of some kind: far is the end that the test holds, near the one that the session gets.
type pair struct{ far, near net.Conn }

// halfCloser is what both ends have, save in net.Pipe.
type halfCloser interface{ CloseWrite() error }

func tcpPair(t testing.TB) pair {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	far, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	near, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	return closing(t, pair{far, near})
}

// closing closes the pair after the test and bounds its reads and writes at the far end.
func closing(t testing.TB, p pair) pair {
	t.Cleanup(func() { p.far.Close(); p.near.Close() })
	p.far.SetDeadline(time.Now().Add(patience))
	return p
}

func pipePair(t testing.TB) pair {
	far, near := net.Pipe()
	return closing(t, pair{far, near})
}

var testCertificate = sync.OnceValue(func() tls.Certificate {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{"relay.example"}, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		panic(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
})

// tlsOver makes the near end a TLS server as the relay is, with or without gathering, and the far end its client.
func tlsOver(t testing.TB, p pair, gather bool, version uint16) pair {
	t.Helper()
	serverConfig := &tls.Config{Certificates: []tls.Certificate{testCertificate()}, MinVersion: version, MaxVersion: version}
	client := tls.Client(p.far, &tls.Config{InsecureSkipVerify: true, MinVersion: version, MaxVersion: version})
	var near net.Conn
	if gather {
		g := NewGatherConn(p.near)
		near = g.Wrap(tls.Server(g, serverConfig))
	} else {
		near = tls.Server(p.near, serverConfig)
	}
	var shaking sync.WaitGroup
	shaking.Go(func() {
		if err := client.Handshake(); err != nil {
			t.Error(err)
		}
	})
	if err := near.(interface{ Handshake() error }).Handshake(); err != nil {
		t.Error(err)
	}
	shaking.Wait()
	return pair{client, near}
}

func tlsPair(t testing.TB) pair { return tlsOver(t, tcpPair(t), true, tls.VersionTLS13) }

// plainTLSPair is crypto/tls as it is.
func plainTLSPair(t testing.TB) pair { return tlsOver(t, tcpPair(t), false, tls.VersionTLS13) }

func tls12Pair(t testing.TB) pair { return tlsOver(t, tcpPair(t), true, tls.VersionTLS12) }

// aheadPair reads ahead under TLS, as the relay does.
func aheadPair(t testing.TB) pair {
	p := tcpPair(t)
	ahead, err := NewReadAhead(p.near.(*net.TCPConn))
	if err != nil {
		t.Fatal(err)
	}
	p.near = aheadConn{p.near.(*net.TCPConn), ahead}
	return tlsOver(t, p, true, tls.VersionTLS13)
}

type aheadConn struct {
	*net.TCPConn
	ahead *ReadAhead
}

func (c aheadConn) Read(p []byte) (int, error) { return c.ahead.Read(p) }
func (c aheadConn) NetConn() net.Conn          { return c.TCPConn }
