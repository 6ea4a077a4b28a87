package web

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"minato/targets/plc"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// serve runs a server on loopback until the test ends, and gives its URL and a client that trusts it.
func serve(t *testing.T, cfg Config) (url string, client *http.Client) {
	t.Helper()
	if cfg.Plant == nil {
		cfg.Plant = plc.New(plc.Config{})
	}
	s, err := NewServer(cfg)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx, l) }()
	transport := &http.Transport{}
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Serve = %v, want nil on cancel", err)
		}
		transport.CloseIdleConnections()
	})
	return "http://" + l.Addr().String(), &http.Client{Transport: transport, Timeout: 2 * time.Minute}
}

func get(t *testing.T, client *http.Client, url string, header ...string) (*http.Response, []byte) {
	t.Helper()
	req, err := http.NewRequest("GET", url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, body
}

func TestPage(t *testing.T) {
	url, client := serve(t, Config{Name: `<pump> & "co"`})
	resp, body := get(t, client, url+"/")
	if resp.StatusCode != 200 || !bytes.Contains(body, []byte("&lt;pump&gt; &amp;")) || !bytes.Contains(body, []byte(">45.0<")) {
		t.Errorf("page = %d %s", resp.StatusCode, body)
	}
	for _, m := range regexp.MustCompile(`(?:src|href)="([^"]*)"`).FindAllSubmatch(body, -1) {
		link := string(m[1])
		if strings.HasPrefix(link, "/") || strings.Contains(link, "//") {
			t.Errorf("link %q is not relative", link)
			continue
		}
		if strings.HasPrefix(link, "data:") {
			continue
		}
		if resp, _ := get(t, client, url+"/"+link); resp.StatusCode != 200 {
			t.Errorf("link %q = %d", link, resp.StatusCode)
		}
	}
	if resp, _ := get(t, client, url+"/nothing"); resp.StatusCode != 404 {
		t.Errorf("/nothing = %d", resp.StatusCode)
	}
}

func TestValues(t *testing.T) {
	plant := plc.New(plc.Config{Seed: 1})
	for range 50 {
		plant.Step()
	}
	url, client := serve(t, Config{Plant: plant})
	var got plc.Values
	_, body := get(t, client, url+"/api/values")
	if err := json.Unmarshal(body, &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(plant.Values(), got); diff != "" {
		t.Errorf("values (-want +got):\n%s", diff)
	}
	if _, body := get(t, client, url+"/healthz"); string(body) != "ok\n" {
		t.Errorf("healthz = %q", body)
	}
}

// TestEvents: the stream begins at once, goes on as the plant moves, and ends with Serve (goleak sees to that).
func TestEvents(t *testing.T) {
	plant := plc.New(plc.Config{})
	url, client := serve(t, Config{Plant: plant})
	resp, err := client.Get(url + "/api/events")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	lines := bufio.NewScanner(resp.Body)
	for second := range 3 {
		var v plc.Values
		for lines.Scan() && lines.Text() == "" {
		}
		if err := json.Unmarshal([]byte(strings.TrimPrefix(lines.Text(), "data: ")), &v); err != nil {
			t.Fatalf("event %q: %v", lines.Text(), err)
		}
		if want := time.Duration(second) * time.Second; v.Uptime != want {
			t.Errorf("event %d is of %v, want %v", second, v.Uptime, want)
		}
		for range 5 {
			plant.Step()
		}
	}
}

func TestBytes(t *testing.T) {
	if err := iotest.TestReader(Bytes(1000), want(1000)); err != nil {
		t.Error(err)
	}
	url, client := serve(t, Config{})
	for _, n := range []string{"0", "1", "1000", "300001"} {
		resp, body := get(t, client, url+"/bytes/"+n)
		if w, _ := io.ReadAll(Bytes(resp.ContentLength)); resp.StatusCode != 200 || !bytes.Equal(w, body) {
			t.Errorf("/bytes/%s = %d, %d bytes", n, resp.StatusCode, len(body))
		}
	}
	resp, body := get(t, client, url+"/bytes/1099511627776", "Range", "bytes=1099511627000-1099511627012")
	if resp.StatusCode != http.StatusPartialContent || len(body) != 13 {
		t.Errorf("range at the end of a tebibyte = %d, %d bytes", resp.StatusCode, len(body))
	}
	if _, body := get(t, client, url+"/bytes/1000", "Range", "bytes=3-20"); !bytes.Equal(body, want(1000)[3:21]) {
		t.Errorf("range = %x", body)
	}
	for _, n := range []string{"-1", "x", "1099511627777", "99999999999999999999"} {
		if resp, _ := get(t, client, url+"/bytes/"+n); resp.StatusCode != 400 {
			t.Errorf("/bytes/%s = %d, want 400", n, resp.StatusCode)
		}
	}
}

func want(n int64) []byte {
	b, _ := io.ReadAll(Bytes(n))
	return b
}

func TestUpload(t *testing.T) {
	url, client := serve(t, Config{})
	for _, method := range []string{"PUT", "POST"} {
		for _, n := range []int64{0, 1, 3_000_000} {
			req, _ := http.NewRequest(method, url+"/upload", io.NopCloser(Bytes(n)))
			resp, err := client.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			var got Upload
			err = json.NewDecoder(resp.Body).Decode(&got)
			resp.Body.Close()
			sum := sha256.Sum256(want(n))
			if err != nil || got != (Upload{n, hex.EncodeToString(sum[:])}) {
				t.Errorf("%s of %d bytes = %+v, %v", method, n, got, err)
			}
		}
	}
}

func TestHTTPS(t *testing.T) {
	cfg, err := SelfSigned("plant")
	if err != nil {
		t.Fatal(err)
	}
	url, client := serve(t, Config{TLS: cfg})
	leaf, err := x509.ParseCertificate(cfg.Certificates[0].Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(leaf)
	client.Transport.(*http.Transport).TLSClientConfig = &tls.Config{RootCAs: pool}
	if resp, body := get(t, client, strings.Replace(url, "http:", "https:", 1)+"/healthz"); resp.StatusCode != 200 || string(body) != "ok\n" {
		t.Errorf("healthz = %d %q", resp.StatusCode, body)
	}
}
