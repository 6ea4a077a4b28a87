package relay

import (
	"crypto/tls"
	"io"
	"net/http"
	"strings"
	"testing"
)

func TestMetrics(t *testing.T) {
	r := startRelay(t, Config{Metrics: "127.0.0.1:0"})
	m := r.mapping(true)
	conn := r.dialTLS(m)
	io.WriteString(conn, "hello")
	if _, err := io.ReadFull(conn, make([]byte, 5)); err != nil {
		t.Fatal(err)
	}
	conn.Close()
	r.awaitAuditOf(conn)
	refused := r.dial(m)
	io.WriteString(refused, "SSH-2.0-x\r\n")
	expectEOF(t, refused)
	refused.Close()
	r.awaitAuditOf(refused)
	resp, err := r.HTTPClient.Transport.(judge).next.RoundTrip(must(http.NewRequest("GET", "http://"+r.MetricsAddr().String()+"/metrics", nil)))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"minato_relay_mappings 1\n", "minato_relay_connections ",
		`minato_relay_bytes_total{direction="up"} 5`, `minato_relay_bytes_total{direction="down"} 5`,
		`minato_relay_causes_total{cause="ssh-on-tls",code="R01"} 1`, `minato_relay_audit_entries_total{type="DENIED"} 1`,
		`minato_relay_tls_handshake_seconds_count 1`, `minato_relay_dial_seconds_count{outcome="ok"} 1`,
		`minato_relay_api_calls_total{route="POST /v1/port_mappings",status="201"} 1`, "go_goroutines",
	} {
		if !strings.Contains(string(b), want) {
			t.Errorf("no %s in the metrics", want)
		}
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// The API itself can speak TLS, with the mappings' certificate.
func TestAPIOverTLS(t *testing.T) {
	r := startRelay(t, Config{APITLS: true})
	roots := string(r.caPEM)
	if roots == "" {
		t.Fatal("no CA")
	}
	conn, err := tls.Dial("tcp", r.APIAddr().String(), &tls.Config{RootCAs: r.rootsOf(r.caPEM), ServerName: "localhost"})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	io.WriteString(conn, "GET /v1/health HTTP/1.0\r\n\r\n")
	if b, err := io.ReadAll(conn); err != nil || !strings.Contains(string(b), `{"status":"ok"}`) {
		t.Errorf("%q, %v", b, err)
	}
}
