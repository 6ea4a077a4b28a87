package scenario

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"

	"minato/testbench/check"
	"minato/testbench/env"
)

var httpsPassthrough = Scenario{
	Name: "https-passthrough",
	Doc:  "A device that does TLS itself is reached with the option OFF, and the certificate that the client sees is the device's own.",
	On:   both,
	Run: func(ctx context.Context, e *env.Env) error {
		m, err := mapFor(ctx, e, 443, env.MapOptions{})
		if err != nil {
			return err
		}
		roots, err := m.Client.Roots(ctx)
		if err != nil {
			return err
		}
		dial := func(ctx context.Context) (net.Conn, error) {
			raw, err := m.Dial(ctx)
			if err != nil {
				return nil, err
			}
			// The device's certificate signs itself: nothing but the relay's own chain would verify here.
			c := tls.Client(raw, &tls.Config{InsecureSkipVerify: true})
			if err := c.HandshakeContext(ctx); err != nil {
				raw.Close()
				return nil, fmt.Errorf("TLS handshake with the device: %w", err)
			}
			leaf := c.ConnectionState().PeerCertificates[0]
			if leaf.CheckSignature(leaf.SignatureAlgorithm, leaf.RawTBSCertificate, leaf.Signature) != nil {
				c.Close()
				return nil, fmt.Errorf("the certificate %q was signed by %q, not by the device itself", leaf.Subject, leaf.Issuer)
			}
			return c, nil
		}
		if err := runOver(ctx, e, dial, "http", check.Options{HTTP: check.HTTPOptions{Path: "/", Contains: "<html"}}); err != nil {
			return err
		}
		raw, err := m.Dial(ctx)
		if err != nil {
			return err
		}
		defer raw.Close()
		err = tls.Client(raw, &tls.Config{RootCAs: roots, ServerName: m.Hostname}).HandshakeContext(ctx)
		var untrusted *tls.CertificateVerificationError
		if !errors.As(err, &untrusted) {
			return fmt.Errorf("a client that trusts the relay's CA alone got %v, wanted its certificate to be unknown", err)
		}
		return nil
	},
}
