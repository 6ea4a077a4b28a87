package relay

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// writeCertificate writes a new certificate and its key, and gives its serial number.
func writeCertificate(t *testing.T, certFile, keyFile string) string {
	t.Helper()
	material, err := newCAMaterial(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	ca, err := parseCA(material, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	ca.names, ca.addrs = []string{"relay.example"}, []netip.Addr{netip.MustParseAddr("127.0.0.1")}
	leaf, err := ca.certificate(nil)
	if err != nil {
		t.Fatal(err)
	}
	key, err := x509.MarshalPKCS8PrivateKey(leaf.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	for name, block := range map[string]*pem.Block{certFile: {Type: "CERTIFICATE", Bytes: leaf.Certificate[0]}, keyFile: {Type: "PRIVATE KEY", Bytes: key}} {
		if err := os.WriteFile(name, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return leaf.Leaf.SerialNumber.String()
}

// New connections get the new certificate, those that are open go on, and files that do not fit together change nothing.
func TestCertificateFilesAreReadAgain(t *testing.T) {
	dir := t.TempDir()
	cert, key := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	first := writeCertificate(t, cert, key)
	r := startRelay(t, Config{Certificates: CertificateFiles(cert, key)})
	m := r.mapping(true)
	connect := func() (*tls.Conn, string) {
		t.Helper()
		conn := tls.Client(r.dial(m), &tls.Config{InsecureSkipVerify: true})
		if err := conn.Handshake(); err != nil {
			t.Fatal(err)
		}
		return conn, conn.ConnectionState().PeerCertificates[0].SerialNumber.String()
	}
	await := func(want string) {
		t.Helper()
		for deadline := time.Now().Add(patience); ; {
			conn, got := connect()
			conn.Close()
			if got == want {
				return
			}
			if time.Now().After(deadline) {
				t.Fatalf("serial %s, want %s", got, want)
			}
		}
	}
	var open []*tls.Conn
	for range 200 {
		conn, got := connect()
		if got != first {
			t.Fatalf("serial %s, want %s", got, first)
		}
		open = append(open, conn)
	}
	if err := os.WriteFile(key, []byte("half a key"), 0o600); err != nil {
		t.Fatal(err)
	}
	await(first)
	await(writeCertificate(t, cert, key))
	for _, conn := range open {
		io.WriteString(conn, "x")
		if _, err := io.ReadFull(conn, make([]byte, 1)); err != nil {
			t.Errorf("an open connection: %v", err)
		}
	}
	os.Remove(cert)
	if _, err := CertificateFiles(cert, key)(); err == nil {
		t.Error("no certificate, and no error")
	}
}
