package relay

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"io"
	"strings"
	"testing"
	"time"

	"minato/relay/relayapi"
)

// clientCA makes a CA, and a client's certificate of it.
func clientCA(t *testing.T) (*x509.CertPool, tls.Certificate) {
	t.Helper()
	material, err := newCAMaterial(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	ca, err := parseCA(material, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{
		SerialNumber: newSerial(), Subject: pkix.Name{CommonName: "technician 7"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}, ca.root, key.Public(), ca.key)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(ca.root)
	return pool, tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// Clients without a good certificate get no byte of the device, on mappings that ask for one and where all do.
func TestClientCertificates(t *testing.T) {
	pool, good := clientCA(t)
	_, foreign := clientCA(t)
	mixed := tls.Certificate{Certificate: good.Certificate, PrivateKey: foreign.PrivateKey} // whose key it has not
	for _, all := range []bool{false, true} {
		r := startRelay(t, Config{ClientCAs: pool, RequireClientCertificates: all})
		asks, err := r.CreatePortMapping(t.Context(), relayapi.CreatePortMappingRequest{
			Destination: relayapi.Destination{SIMID: simA, Port: 80}, TLSRequired: true, ClientCertificateRequired: !all,
		})
		if err != nil || !asks.ClientCertificateRequired {
			t.Fatalf("%+v, %v", asks, err)
		}
		for _, tt := range []struct {
			name   string
			m      *relayapi.PortMapping
			certs  []tls.Certificate
			served bool
			says   string
		}{
			{"good", asks, []tls.Certificate{good}, true, ""},
			{"none", asks, nil, false, "client didn't provide a certificate"},
			{"another CA's", asks, []tls.Certificate{foreign}, false, "certificate"},
			{"somebody else's", asks, []tls.Certificate{mixed}, false, "invalid signature"},
			{"a mapping that was made without", r.mapping(true), nil, !all, "client didn't provide a certificate"},
		} {
			for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
				tcp := r.dial(tt.m)
				conn := tls.Client(tcp, &tls.Config{RootCAs: r.roots(), ServerName: tt.m.Hostname, Certificates: tt.certs, MaxVersion: version})
				io.WriteString(conn, "x")
				_, err := io.ReadFull(conn, make([]byte, 1))
				if (err == nil) != tt.served {
					t.Errorf("all=%v, %s, %s: %v, want served=%v", all, tt.name, tls.VersionName(version), err, tt.served)
				}
				conn.Close()
				tcp.Close()
				e := r.awaitAuditOf(tcp)
				if tt.served != (e.Type == relayapi.AuditClosed) || !tt.served && (e.Code != "R38" || !strings.Contains(e.CloseReason, tt.says)) {
					t.Errorf("all=%v, %s: audit entry %+v", all, tt.name, e)
				}
			}
		}
		if logs, _, err := r.ConnectionLogs(t.Context(), relayapi.AuditQuery{Type: relayapi.AuditClosed, Limit: 1000}); err != nil || !strings.Contains(ladderText(logs), "technician 7") {
			t.Errorf("no ladder names the client: %v", err)
		}
	}
	r := startRelay(t, Config{})
	for _, tlsOn := range []bool{false, true} {
		_, err := r.CreatePortMapping(t.Context(), relayapi.CreatePortMappingRequest{
			Destination: relayapi.Destination{SIMID: simA, Port: 80}, TLSRequired: tlsOn, ClientCertificateRequired: true,
		})
		expectStatus(t, "asking for certificates without a CA", err, 400)
	}
}

func ladderText(logs []relayapi.ConnectionLogEntry) string {
	var b strings.Builder
	for _, e := range logs {
		for _, s := range e.Ladder {
			b.WriteString(s.What + "\n")
		}
	}
	return b.String()
}
