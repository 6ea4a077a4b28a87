package tunnel

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

func dialFails(err error) func(context.Context, string, string) (net.Conn, error) {
	return func(context.Context, string, string) (net.Conn, error) { return nil, err }
}

// dialAnyway takes its time, so that a short timeout ends in the handshake and never before.
func dialAnyway(_ context.Context, network, address string) (net.Conn, error) {
	return net.Dial(network, address)
}

// Each failure is one sentence that says what happened, and a hint that says what to do.
func TestDialErrors(t *testing.T) {
	ca := newAuthority(t)
	good := serveTLS(t, ca.leaf(t, nil), nil)
	wrongName := serveTLS(t, ca.leaf(t, func(c *x509.Certificate) { c.IPAddresses = nil }), nil)
	old := serveTLS(t, ca.leaf(t, func(c *x509.Certificate) {
		c.NotBefore, c.NotAfter = time.Now().AddDate(0, 0, -9), time.Now().AddDate(0, 0, -2)
	}), nil)
	says := func(text string) string {
		return serve(t, func(conn net.Conn) {
			io.WriteString(conn, text)
			io.Copy(io.Discard, conn)
		})
	}
	tests := []struct {
		name string
		cfg  Config
		want string // with ADDR for the address
		hint string // a part
	}{
		{"untrusted", Config{Connect: good}, "the certificate of ADDR is not signed by an authority that is trusted here", "CAfile"},
		{"wrong name", Config{Connect: wrongName, CAFile: ca.file}, "the certificate of ADDR is for relay.example, not for 127.0.0.1", "host name that the relay gave"},
		{"wrong checkHost", Config{Connect: good, CAFile: ca.file, CheckHost: []string{"other.example"}}, "the certificate of ADDR is for relay.example, 127.0.0.1, not for other.example", "host name that the relay gave"},
		{"not pinned", Config{Connect: good, CAFile: ca.file, Verify: VerifyPeer}, "the certificate of ADDR is not one of those in " + ca.file, "verifyChain"},
		{"expired", Config{Connect: old, CAFile: ca.file}, "the certificate of ADDR is not valid at this time: it is from DAY to DAY", "clock"},
		{"refused", Config{Connect: "192.0.2.1:10123", Dial: dialFails(os.NewSyscallError("connect", syscall.ECONNREFUSED))}, "cannot connect to ADDR: refused", "list the mappings"},
		{"no answer", Config{Connect: "192.0.2.1:10123", Dial: dialFails(os.ErrDeadlineExceeded)}, "cannot connect to ADDR: no answer", "firewall"},
		{"no such name", Config{Connect: "relay.invalid:10123", Dial: dialFails(&net.DNSError{Name: "relay.invalid", IsNotFound: true})}, `cannot connect to ADDR: the name "relay.invalid" is not known`, "typing"},
		{"other", Config{Connect: "192.0.2.1:10123", Dial: dialFails(errors.New("no route"))}, "cannot connect to ADDR: no route", ""},
		{"VNC without TLS", Config{Connect: says("RFB 003.008\n")}, "ADDR answered without TLS: it speaks VNC", "TLS option off"},
		{"SSH without TLS", Config{Connect: says("SSH-2.0-OpenSSH_9.2\r\n")}, "ADDR answered without TLS: it speaks SSH", "TLS option off"},
		{"something without TLS", Config{Connect: says("welcome\r\n")}, "ADDR answered without TLS", "TLS option off"},
		{"closes at once", Config{Connect: serve(t, func(net.Conn) {})}, "ADDR closed the connection before the TLS handshake", "audit log"},
		{"silent", Config{Connect: says(""), ConnectTimeout: 50 * time.Millisecond, Dial: dialAnyway}, "ADDR accepted the connection, but no TLS handshake came", "may not speak TLS"},
		{"alert", Config{Connect: says("\x15\x03\x03\x00\x02\x02\x28")}, "ADDR refused the TLS handshake: tls: handshake failure", "client certificate"},
	}
	day := regexp.MustCompile(`\d{4}-\d\d-\d\d`)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tunnel, err := New(tt.cfg)
			if err != nil {
				t.Fatal(err)
			}
			conn, err := tunnel.Dial(context.Background())
			if err == nil {
				conn.Close()
				t.Fatal("no error")
			}
			var e *Error
			if !errors.As(err, &e) || e.Err == nil {
				t.Fatalf("%#v is no *Error with a cause", err)
			}
			got := day.ReplaceAllString(strings.ReplaceAll(err.Error(), tt.cfg.Connect, "ADDR"), "DAY")
			if got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
			if !strings.Contains(Hint(err), tt.hint) || (Hint(err) == "") != (tt.hint == "") {
				t.Errorf("hint %q, want one with %q", Hint(err), tt.hint)
			}
		})
	}
}

func TestVerify(t *testing.T) {
	ca := newAuthority(t)
	cert := ca.leaf(t, nil)
	addr := serveTLS(t, cert, nil)
	own := writePEM(t, cert.Leaf)
	pool := x509.NewCertPool()
	pool.AddCert(ca.cert)
	tests := []struct {
		name string
		cfg  Config
	}{
		{"name by address", Config{CAFile: ca.file}},
		{"pool", Config{RootCAs: pool}},
		{"other name sent and checked", Config{CAFile: ca.file, ServerName: "relay.example"}},
		{"one of several names", Config{CAFile: ca.file, CheckHost: []string{"other.example", "relay.example"}}},
		{"address", Config{CAFile: ca.file, ServerName: "other.example", CheckIP: []netip.Addr{netip.MustParseAddr("127.0.0.1")}}},
		{"chain without name", Config{CAFile: ca.file, ServerName: "other.example", Verify: VerifyChain}},
		{"pinned", Config{CAFile: own, ServerName: "other.example", Verify: VerifyPeer}},
		{"nothing", Config{Verify: VerifyNone}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.cfg.Connect = addr
			tunnel, err := New(tt.cfg)
			if err != nil {
				t.Fatal(err)
			}
			conn, err := tunnel.Dial(context.Background())
			if err != nil {
				t.Fatal(err)
			}
			if v := conn.ConnectionState().Version; v != tls.VersionTLS13 {
				t.Errorf("version %s", tls.VersionName(v))
			}
			conn.Close()
		})
	}
}

func TestNewErrors(t *testing.T) {
	junk := filepath.Join(t.TempDir(), "junk.pem")
	if err := os.WriteFile(junk, []byte("no certificate"), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		cfg  Config
		want string
	}{
		{Config{}, `connect "": want HOST:PORT`},
		{Config{Connect: "relay.example"}, `connect "relay.example": want HOST:PORT`},
		{Config{Connect: ":10123"}, `connect ":10123": no host: want HOST:PORT`},
		{Config{Connect: "relay.example:http"}, `connect "relay.example:http": port "http" is not a number from 0 to 65535`},
		{Config{Connect: "a:1", Accept: "x:y"}, `accept "x:y": port "y" is not a number from 0 to 65535`},
		{Config{Connect: "a:1", Verify: VerifyPeer}, "verifyPeer needs CAfile: the file that holds the server's own certificate"},
		{Config{Connect: "a:1", Verify: VerifyNone, CheckHost: []string{"b"}}, "a name to check is given (b), but the certificate is not to be verified"},
		{Config{Connect: "a:1", Verify: 9}, "verify 9: no such value"},
		{Config{Connect: "a:1", CAFile: junk}, "reading the authorities \"" + junk + "\": no certificate in it: want PEM, which begins with -----BEGIN CERTIFICATE-----"},
	}
	for _, tt := range tests {
		if _, err := New(tt.cfg); err == nil || err.Error() != tt.want {
			t.Errorf("%+v:\ngot  %v\nwant %s", tt.cfg, err, tt.want)
		}
	}
}

// A privileged port, and an address that is not ours.
func TestExplainListen(t *testing.T) {
	for _, tt := range []struct {
		err  error
		want string
	}{
		{os.ErrPermission, "cannot accept on 127.0.0.1:443: port 443 is not allowed for this user"},
		{syscall.EADDRNOTAVAIL, "cannot accept on 127.0.0.1:443: this computer has no such address"},
		{errors.New("odd"), "cannot accept on 127.0.0.1:443: odd"},
	} {
		if got := explainListen(tt.err, "127.0.0.1:443").Error(); got != tt.want {
			t.Errorf("%q, want %q", got, tt.want)
		}
	}
}
