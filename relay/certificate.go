package relay

import (
	"context"
	"crypto/tls"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
)

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

// loadTLS makes the configuration of the mappings with the TLS option. Curves are Go's defaults: X25519MLKEM768 is among them. Session
// tickets are on.
func (r *Relay) loadTLS(ctx context.Context) error {
	if r.cfg.Certificates != nil {
		c, err := r.cfg.Certificates()
		if err != nil {
			return fmt.Errorf("loading the certificates: %w", err)
		}
		c = c.Clone()
		if c.MinVersion < tls.VersionTLS12 {
			c.MinVersion = tls.VersionTLS12
		}
		r.tlsConfig = c
		return nil
	}
	material, err := r.store.Secret(ctx, "private-ca", func() ([]byte, error) { return newCAMaterial(r.cfg.Clock.Now()) })
	if err != nil {
		return fmt.Errorf("loading the private CA: %w", err)
	}
	ca, err := parseCA(material, r.cfg.Clock.Now)
	if err != nil {
		return err
	}
	ca.names = []string{hostname(r.cfg.Advertise, r.cfg.Domain), "localhost"}
	ca.addrs = []netip.Addr{netip.AddrFrom4([4]byte{127, 0, 0, 1}), netip.IPv6Loopback()}
	if !r.cfg.Advertise.IsLoopback() {
		ca.addrs = append(ca.addrs, r.cfg.Advertise)
	}
	if _, err := ca.certificate(nil); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(r.cfg.Dir, "ca.pem"), ca.rootPEM, 0o644); err != nil {
		return fmt.Errorf("writing the CA's root certificate: %w", err)
	}
	r.caPEM = ca.rootPEM
	r.tlsConfig = &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: ca.certificate}
	return nil
}
