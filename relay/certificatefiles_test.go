package relay

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
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
	if _, err := CertificateFiles(cert, key)(slog.New(slog.DiscardHandler)); err == nil {
		t.Error("no certificate, and no error")
	}
}

// Files that cannot be used are told of once for each change, when a second look finds them so, and with what stays in use.
func TestUnfitCertificateFilesAreLogged(t *testing.T) {
	dir := t.TempDir()
	cert, key := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	writeCertificate(t, cert, key)
	var log strings.Builder
	f := &certificateFiles{cert: cert, key: key, log: slog.New(slog.NewTextHandler(&log, nil))}
	look := func() *tls.Certificate {
		t.Helper()
		f.looked = time.Time{} // a second has passed
		got, err := f.certificate(nil)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	const unfit = "the certificate's files have changed and cannot be used"
	first := look()
	for i, text := range []string{"half a key", "another half of a key"} {
		if err := os.WriteFile(key, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		for n := range 3 {
			if got := look(); got != first {
				t.Error("what was in use is not in use any more")
			}
			if want := i + min(n, 1); strings.Count(log.String(), unfit) != want {
				t.Errorf("after look %d at pair %d, want it told %d times:\n%s", n, i, want, log.String())
			}
		}
	}
	for _, want := range []string{cert, key, "until=" + first.Leaf.NotAfter.UTC().Format(time.RFC3339)} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("no %q in\n%s", want, log.String())
		}
	}
	writeCertificate(t, cert, key)
	if look() == first || !strings.Contains(log.String(), "the certificate was read again") {
		t.Errorf("the new pair is not in use, or not told of:\n%s", log.String())
	}
	os.Remove(cert)
	look()
	look()
	if strings.Count(log.String(), unfit) != 3 {
		t.Errorf("a file that is gone is not told of:\n%s", log.String())
	}
}
