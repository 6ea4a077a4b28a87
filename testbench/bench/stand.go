//go:build linux

package bench

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// stand is what all proxies have in common: the backend, the certificate, the folder.
type stand struct {
	dir     string
	backend *backend
	roots   *x509.CertPool
	load    load
}

func newStand(dir string, l load) (*stand, error) {
	s := &stand{dir: dir, load: l}
	if err := s.makeCertificate(); err != nil {
		return nil, fmt.Errorf("making the certificate: %w", err)
	}
	var err error
	if s.backend, err = newBackend(); err != nil {
		return nil, fmt.Errorf("starting the backend: %w", err)
	}
	return s, nil
}

func (s *stand) close() { s.backend.close() }

func (s *stand) file(name string) string { return filepath.Join(s.dir, name) }

// makeCertificate writes one certificate, ECDSA on P-256, in the forms that the proxies want.
func (s *stand) makeCertificate() error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	leaf := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().Add(24 * time.Hour),
		IPAddresses:  []net.IP{net.IPv4(127, 0, 0, 1)},
		DNSNames:     []string{"localhost"},
	}
	der, err := x509.CreateCertificate(rand.Reader, leaf, leaf, &key.PublicKey, key)
	if err != nil {
		return err
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	certPEM := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	keyPEM := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER})
	s.roots = x509.NewCertPool()
	s.roots.AppendCertsFromPEM(certPEM)
	for name, content := range map[string][]byte{"cert.pem": certPEM, "key.pem": keyPEM, "both.pem": append(certPEM, keyPEM...)} {
		if err := os.WriteFile(s.file(name), content, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// writeConfig fills in a peer's configuration.
func (s *stand) writeConfig(p *peer, values map[string]string) (path string, err error) {
	b, err := peerConfigs.ReadFile("peers/" + p.config)
	if err != nil {
		return "", err
	}
	pairs := []string{"@DIR@", s.dir, "@CERT@", s.file("cert.pem"), "@KEY@", s.file("key.pem"), "@PEM@", s.file("both.pem"), "@BACKEND@", s.backend.addr}
	for name, value := range values {
		pairs = append(pairs, "@"+name+"@", value)
	}
	path = s.file(p.config)
	return path, os.WriteFile(path, []byte(strings.NewReplacer(pairs...).Replace(string(b))), 0o600)
}

// clientTLS is the client's side for all: full handshakes, TLS 1.3 only, one key exchange.
func (s *stand) clientTLS(curve tls.CurveID) *tls.Config {
	return &tls.Config{
		RootCAs:                s.roots,
		ServerName:             "localhost",
		MinVersion:             tls.VersionTLS13,
		CurvePreferences:       []tls.CurveID{curve},
		SessionTicketsDisabled: true,
	}
}

// dialTLS connects through a proxy, up to the end of the handshake.
func (s *stand) dialTLS(ctx context.Context, addr string, curve tls.CurveID) (net.Conn, error) {
	d := tls.Dialer{Config: s.clientTLS(curve)}
	return d.DialContext(ctx, "tcp", addr)
}

// dial connects through a proxy without TLS.
func (s *stand) dial(ctx context.Context, addr string) (net.Conn, error) {
	var d net.Dialer
	return d.DialContext(ctx, "tcp", addr)
}
