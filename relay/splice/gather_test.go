package splice

import (
	"bytes"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"
)

// countConn counts the writes that reach the connection, and fails from failAfter on.
type countConn struct {
	net.Conn
	writes    atomic.Int64
	failAfter int64 // 0: never
}

var errBroken = errors.New("broken")

func (c *countConn) Write(b []byte) (int, error) {
	if n := c.writes.Add(1); c.failAfter > 0 && n > c.failAfter {
		return 0, errBroken
	}
	return c.Conn.Write(b)
}

// gatherPair is a TLS server on a GatherConn on a countConn, and its client.
func gatherPair(t *testing.T, version uint16) (client *tls.Conn, server *TLSConn, wire *countConn) {
	t.Helper()
	p := tcpPair(t)
	wire = &countConn{Conn: p.near}
	shaken := tlsOver(t, pair{p.far, wire}, true, version)
	return shaken.far.(*tls.Conn), shaken.near.(*TLSConn), wire
}

func TestGather(t *testing.T) {
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		t.Run(tls.VersionName(version), func(t *testing.T) {
			client, server, wire := gatherPair(t, version)
			var got bytes.Buffer
			var reading sync.WaitGroup
			reading.Go(func() {
				if _, err := io.Copy(&got, client); err != nil {
					t.Error(err)
				}
			})
			var want bytes.Buffer
			for _, n := range []int{1, 100, 16 << 10, 128 << 10, 300 << 10, 1 << 20} {
				before := wire.writes.Load()
				data := noise(n, byte(n))
				want.Write(data)
				if m, err := server.Write(data); m != n || err != nil {
					t.Fatalf("Write of %d = %d, %v", n, m, err)
				}
				if most := int64(n/gatherSize + 2); wire.writes.Load()-before > most {
					t.Errorf("%d bytes took %d system calls, want at most %d", n, wire.writes.Load()-before, most)
				}
				if server.gather.held != nil {
					t.Errorf("%d bytes: some stayed behind", n)
				}
			}
			if err := server.CloseWrite(); err != nil {
				t.Error(err)
			}
			reading.Wait()
			if !bytes.Equal(got.Bytes(), want.Bytes()) {
				t.Error("other bytes arrived")
			}
		})
	}
}

// TestGatherWriters: several goroutines write while another reads.
func TestGatherWriters(t *testing.T) {
	client, server, _ := gatherPair(t, tls.VersionTLS13)
	const writers, writes, size = 4, 20, 50_000
	var all sync.WaitGroup
	for i := range writers {
		all.Go(func() {
			for range writes {
				if _, err := server.Write(bytes.Repeat([]byte{byte(i)}, size)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Go(func() { io.Copy(io.Discard, server) })
	counts := make([]int, writers)
	buf := make([]byte, 64<<10)
	for total := 0; total < writers*writes*size; {
		n, err := client.Read(buf)
		if err != nil {
			t.Fatal(err)
		}
		for _, b := range buf[:n] {
			counts[b]++
		}
		total += n
	}
	for i, n := range counts {
		if n != writes*size {
			t.Errorf("%d bytes of writer %d, want %d", n, i, writes*size)
		}
	}
	client.Close()
	all.Wait()
}

// TestGatherHandshakeInWrite: a first Write makes the handshake, whose flights must not be held.
func TestGatherHandshakeInWrite(t *testing.T) {
	p := tcpPair(t)
	g := NewGatherConn(p.near)
	server := g.Wrap(tls.Server(g, &tls.Config{Certificates: []tls.Certificate{testCertificate()}}))
	client := tls.Client(p.far, &tls.Config{InsecureSkipVerify: true})
	var writing sync.WaitGroup
	writing.Go(func() {
		if _, err := server.Write([]byte("hello")); err != nil {
			t.Error(err)
		}
	})
	b := make([]byte, 5)
	if _, err := io.ReadFull(client, b); err != nil || string(b) != "hello" {
		t.Errorf("read %q, %v", b, err)
	}
	writing.Wait()
}

// TestGatherError: a Write whose bytes did not all go out says so, and so does every later one.
func TestGatherError(t *testing.T) {
	_, server, wire := gatherPair(t, tls.VersionTLS13)
	wire.failAfter = wire.writes.Load() + 1
	if n, err := server.Write(make([]byte, 1<<20)); n != 0 || !errors.Is(err, errBroken) {
		t.Errorf("Write = %d, %v; want %v", n, err, errBroken)
	}
	if _, err := server.Write([]byte("x")); err == nil {
		t.Error("a later Write succeeds")
	}
}

// TestGatherAlert: an alert goes out at once.
func TestGatherAlert(t *testing.T) {
	client, server, _ := gatherPair(t, tls.VersionTLS13)
	if err := server.Close(); err != nil {
		t.Error(err)
	}
	if _, err := client.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("read %v, want io.EOF from close_notify", err)
	}
}
