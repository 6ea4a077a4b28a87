package relay

import (
	"bytes"
	"crypto/tls"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"testing"
	"time"

	"minato/relay/relayapi"
)

// The address in a trusted balancer's PROXY header is the client's; from anyone else it is data.
func TestProxyHeader(t *testing.T) {
	const header = "PROXY TCP4 203.0.113.9 127.0.0.1 50000 20000\r\n"
	trusted := []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}
	r := startRelay(t, Config{})
	var hour = 3600
	create := func(r *testRelay, tlsOn bool) *relayapi.PortMapping {
		m, err := r.CreatePortMapping(t.Context(), relayapi.CreatePortMappingRequest{
			Destination: relayapi.Destination{SIMID: simA, Port: 80}, Duration: &hour, TLSRequired: tlsOn,
			Source: &relayapi.Source{IPRanges: []string{"203.0.113.0/24", "127.0.0.0/8"}},
		})
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	conn := r.dial(create(r, false))
	io.WriteString(conn, header)
	got := make([]byte, len(header))
	if _, err := io.ReadFull(conn, got); err != nil || string(got) != header {
		t.Errorf("from nobody we trust: echo %q, %v", got, err)
	}

	r.TrustedProxiesForTest(trusted)
	for _, tlsOn := range []bool{false, true} {
		m := create(r, tlsOn)
		tcp := r.dial(m)
		io.WriteString(tcp, header)
		var conn io.ReadWriter = tcp
		if tlsOn {
			conn = tls.Client(tcp, &tls.Config{RootCAs: r.roots(), ServerName: m.Hostname})
		}
		io.WriteString(conn, "hello")
		if _, err := io.ReadFull(conn, got[:5]); err != nil || string(got[:5]) != "hello" {
			t.Errorf("tls=%v: echo %q, %v", tlsOn, got[:5], err)
		}
		tcp.Close()
		if e := r.awaitAudit("CLOSED"); e.Direction.SourceIPAddress != "203.0.113.9" || e.Direction.SourcePort != 50000 {
			t.Errorf("tls=%v: audit entry %+v; want the header's address", tlsOn, e)
		}
	}
	for name, bad := range map[string]string{"no header": "GET / HTTP/1.1\r\n\r\n", "broken": "PROXY TCP4 x\r\n"} {
		conn := r.dial(create(r, false))
		io.WriteString(conn, bad)
		if n, err := conn.Read(got); n != 0 || err == nil {
			t.Errorf("%s: %d bytes, %v", name, n, err)
		}
	}
}

// TrustedProxiesForTest changes whom a relay trusts while no connection is under way.
func (r *testRelay) TrustedProxiesForTest(p []netip.Prefix) { r.cfg.TrustedProxies = p }

// fixedConn is a connection that says some bytes and ends.
type fixedConn struct {
	net.Conn
	io.Reader
}

func (c *fixedConn) Read(p []byte) (int, error)      { return c.Reader.Read(p) }
func (c *fixedConn) SetReadDeadline(time.Time) error { return nil }
func (c *fixedConn) Close() error                    { return nil }

// Whatever a balancer sends, the client has an address, and the bytes after the header are all still there.
func FuzzProxyHeader(f *testing.F) {
	f.Add([]byte("PROXY TCP4 203.0.113.9 127.0.0.1 50000 20000\r\nhello"))
	f.Add([]byte("PROXY TCP6 2001:db8::1 ::1 50000 20000\r\n"))
	f.Add([]byte("PROXY UNKNOWN\r\n"))
	f.Add([]byte("\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c\xcb\x00\x71\x09\x7f\x00\x00\x01\xc3\x50\x4e\x20hello"))
	f.Add([]byte("\r\n\r\n\x00\r\nQUIT\n\x20\x00\x00\x00"))
	f.Add([]byte("\r\n\r\n\x00\r\nQUIT\n\x21\x31\x00\xd8"))
	balancer := netip.MustParseAddrPort("10.0.0.7:1")
	r := &Relay{cfg: Config{TrustedProxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.7/32")}, SilenceTimeout: time.Second}}
	f.Fuzz(func(t *testing.T, sent []byte) {
		rest := bytes.NewReader(sent)
		c := &connection{relay: r, mapping: &portMapping{log: slog.New(slog.DiscardHandler)}, client: &fixedConn{Reader: rest}}
		c.setFrom(balancer)
		if !c.proxied() {
			return
		}
		if !c.from.IsValid() || c.entry.Source != c.from {
			t.Errorf("%q: the client is %v, its entry says %v", sent, c.from, c.entry.Source)
		}
		left, _ := io.ReadAll(rest)
		if !bytes.HasSuffix(sent, append(bytes.Clone(c.early), left...)) {
			t.Errorf("%q: %q and %q are left", sent, c.early, left)
		}
	})
}
