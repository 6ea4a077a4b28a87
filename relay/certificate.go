package relay

import (
	"context"
	"crypto/tls"
	"fmt"
	"net/netip"
	"path/filepath"
	"strings"

	"minato/relay/store"
)

// Hostname is the host name of a relay's mappings: its address with dashes under its domain. "" without one of them.
func Hostname(advertise netip.Addr, domain string) string {
	if !advertise.IsValid() || domain == "" {
		return ""
	}
	return hostname(advertise, domain)
}

// hostname is an address with dashes under the domain: "203-0-113-7.relay.example", and back by replacing the dashes. Colons of IPv6 become
// dashes too; "::1" starts with "0", since no name may start with a dash.
func hostname(a netip.Addr, domain string) string {
	name := strings.NewReplacer(".", "-", ":", "-").Replace(a.String())
	if strings.HasPrefix(name, "-") {
		name = "0" + name
	}
	if strings.HasSuffix(name, "-") {
		name += "0"
	}
	if domain != "" {
		name += "." + domain
	}
	return name
}

// tls12Suites are those of TLS 1.2 with forward secrecy and authenticated encryption. Go would also take CBC ones, which scanners rightly call weak.
// TLS 1.3 has only good ones, and its choice is not ours.
var tls12Suites = []uint16{
	tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
	tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
	tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
}

// loadTLS makes the configurations of the API and of the mappings with the TLS option. Curves are Go's defaults: X25519MLKEM768 is among them.
// Session tickets are on, with keys that change every day.
func (r *Relay) loadTLS(ctx context.Context) (err error) {
	switch {
	case r.cfg.Certificates != nil:
		c, err := r.cfg.Certificates(r.log)
		if err != nil {
			return fmt.Errorf("loading the certificates: %w", err)
		}
		r.tlsConfig = c.Clone()
	case r.cfg.ACME != nil:
		if r.acme, err = r.startACME(ctx); err != nil {
			return err
		}
		r.tlsConfig = &tls.Config{GetCertificate: r.acme.certificate}
	default:
		if r.tlsConfig, err = r.loadPrivateCA(ctx); err != nil {
			return err
		}
	}
	r.tlsConfig.MinVersion = max(r.tlsConfig.MinVersion, tls.VersionTLS12)
	if r.tlsConfig.CipherSuites == nil {
		r.tlsConfig.CipherSuites = tls12Suites
	}
	if r.cfg.ClientCAs != nil {
		r.clientTLSConfig = r.tlsConfig.Clone()
		r.clientTLSConfig.ClientAuth, r.clientTLSConfig.ClientCAs = tls.RequireAndVerifyClientCert, r.cfg.ClientCAs
	}
	return nil
}

// mappingTLS is the configuration that a mapping's clients meet.
func (r *Relay) mappingTLS(m store.Mapping) *tls.Config {
	if m.ClientCertificate || r.cfg.RequireClientCertificates {
		return r.clientTLSConfig
	}
	return r.tlsConfig
}

func (r *Relay) loadPrivateCA(ctx context.Context) (*tls.Config, error) {
	material, err := r.store.Secret(ctx, "private-ca", func() ([]byte, error) { return newCAMaterial(r.cfg.Clock.Now()) })
	if err != nil {
		return nil, fmt.Errorf("loading the private CA: %w", err)
	}
	ca, err := parseCA(material, r.cfg.Clock.Now)
	if err != nil {
		return nil, err
	}
	ca.names = []string{hostname(r.cfg.Advertise, r.cfg.Domain), "localhost"}
	ca.addrs = []netip.Addr{netip.AddrFrom4([4]byte{127, 0, 0, 1}), netip.IPv6Loopback()}
	if !r.cfg.Advertise.IsLoopback() {
		ca.addrs = append(ca.addrs, r.cfg.Advertise)
	}
	if _, err := ca.certificate(nil); err != nil {
		return nil, err
	}
	if err := writeFile(filepath.Join(r.cfg.Dir, "ca.pem"), ca.rootPEM, 0o644); err != nil {
		return nil, fmt.Errorf("writing the CA's root certificate: %w", err)
	}
	r.caPEM = ca.rootPEM
	return &tls.Config{GetCertificate: ca.certificate}, nil
}
