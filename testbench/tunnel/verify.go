package tunnel

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"slices"
)

// maxCAFile bounds a file of authorities; the Mozilla set is about 220 KB.
const maxCAFile = 8 << 20

func (c Config) tlsConfig() (*tls.Config, error) {
	roots := c.RootCAs
	var pinned []*x509.Certificate
	if c.CAFile != "" {
		certs, err := readCertificates(c.CAFile)
		if err != nil {
			return nil, err
		}
		pinned = certs
		if roots == nil {
			roots = x509.NewCertPool()
			for _, cert := range certs {
				roots.AddCert(cert)
			}
		}
	}
	if c.Verify == VerifyPeer && len(pinned) == 0 {
		return nil, errors.New("verifyPeer needs CAfile: the file that holds the server's own certificate")
	}
	conf := &tls.Config{ServerName: c.ServerName, RootCAs: roots, MinVersion: tls.VersionTLS12, KeyLogWriter: c.KeyLog}
	if c.Verify == VerifyName && len(c.CheckHost)+len(c.CheckIP) == 0 {
		return conf, nil
	}
	// crypto/tls can check only the name that it sends. With InsecureSkipVerify, VerifyConnection is the whole of the check.
	conf.InsecureSkipVerify = true
	if c.Verify != VerifyNone {
		conf.VerifyConnection = func(state tls.ConnectionState) error { return c.verify(state, roots, pinned) }
	}
	return conf, nil
}

// verify gives a *tls.CertificateVerificationError, as crypto/tls itself does.
func (c Config) verify(state tls.ConnectionState, roots *x509.CertPool, pinned []*x509.Certificate) error {
	leaf := state.PeerCertificates[0]
	err := c.verifyNames(leaf)
	if err == nil && c.Verify == VerifyPeer {
		if !slices.ContainsFunc(pinned, leaf.Equal) {
			err = errNotPinned
		}
	}
	if err == nil && c.Verify != VerifyPeer {
		opts := x509.VerifyOptions{Roots: roots, Intermediates: x509.NewCertPool()}
		for _, cert := range state.PeerCertificates[1:] {
			opts.Intermediates.AddCert(cert)
		}
		_, err = leaf.Verify(opts)
	}
	if err != nil {
		return &tls.CertificateVerificationError{UnverifiedCertificates: state.PeerCertificates, Err: err}
	}
	return nil
}

var errNotPinned = errors.New("the server's certificate is not in CAfile")

// verifyNames accepts any of the names wanted; none wanted accepts every certificate.
func (c Config) verifyNames(leaf *x509.Certificate) error {
	var err error
	for _, name := range c.wantNames() {
		if err = leaf.VerifyHostname(name); err == nil {
			return nil
		}
	}
	return err
}

func (c Config) wantNames() []string {
	names := slices.Clone(c.CheckHost)
	for _, ip := range c.CheckIP {
		names = append(names, ip.String())
	}
	return names
}

func readCertificates(file string) ([]*x509.Certificate, error) {
	info, err := os.Stat(file)
	if err != nil {
		return nil, fmt.Errorf("reading the authorities: %w", err)
	}
	if info.Size() > maxCAFile {
		return nil, fmt.Errorf("reading the authorities %q: %d bytes, and %d are allowed", file, info.Size(), maxCAFile)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("reading the authorities: %w", err)
	}
	var certs []*x509.Certificate
	for {
		var block *pem.Block
		block, text = pem.Decode(text)
		if block == nil {
			break
		}
		if block.Type != "CERTIFICATE" {
			continue
		}
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("reading the authorities %q: certificate %d: %w", file, len(certs)+1, err)
		}
		certs = append(certs, cert)
	}
	if len(certs) == 0 {
		return nil, fmt.Errorf("reading the authorities %q: no certificate in it: want PEM, which begins with -----BEGIN CERTIFICATE-----", file)
	}
	return certs, nil
}
