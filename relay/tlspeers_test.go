package relay

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/coder/websocket"

	"minato/relay/relayapi"
)

// peer runs an independent program and gives what it prints, also where it fails.
func peer(t *testing.T, stdin io.Reader, name string, args ...string) string {
	t.Helper()
	if _, err := exec.LookPath(name); err != nil && os.Getenv("CI") != "true" {
		t.Skipf("%s is not installed: make setup", name)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Stdin = stdin
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState == nil {
		t.Fatalf("%s: %v", name, err)
	}
	return string(out)
}

// caFile writes the relay's root to a file.
func (r *testRelay) caFile() string {
	r.t.Helper()
	pem, err := r.CA(r.t.Context())
	if err != nil {
		r.t.Fatal(err)
	}
	file := filepath.Join(r.t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, pem, 0o600); err != nil {
		r.t.Fatal(err)
	}
	return file
}

// sslscan judges versions and suites: TLS 1.2 and 1.3 with authenticated encryption and forward secrecy, nothing else.
func TestSSLScan(t *testing.T) {
	r := startRelay(t, Config{})
	out := peer(t, nil, "sslscan", "--no-colour", "--no-fallback", r.mapping(true).Endpoint)
	for version, want := range map[string]string{"SSLv2": "disabled", "SSLv3": "disabled", "TLSv1.0": "disabled", "TLSv1.1": "disabled", "TLSv1.2": "enabled", "TLSv1.3": "enabled"} {
		if !regexp.MustCompile(regexp.QuoteMeta(version) + ` +` + want).MatchString(out) {
			t.Errorf("%s is not %s", version, want)
		}
	}
	suites := regexp.MustCompile(`(?m)^(?:Preferred|Accepted) +(\S+) +\d+ bits +(\S+)`).FindAllStringSubmatch(out, -1)
	if len(suites) < 5 {
		t.Errorf("%d suites", len(suites))
	}
	for _, s := range suites {
		good := strings.HasPrefix(s[2], "ECDHE-") && (strings.Contains(s[2], "GCM") || strings.Contains(s[2], "CHACHA20"))
		if s[1] == "TLSv1.3" {
			good = strings.HasPrefix(s[2], "TLS_")
		}
		if !good {
			t.Errorf("%s is weak", s[0])
		}
	}
	if strings.Contains(out, "vulnerable to heartbleed") && !strings.Contains(out, "not vulnerable to heartbleed") || strings.Contains(out, "Insecure session renegotiation") {
		t.Error("sslscan found a weakness")
	}
	if t.Failed() {
		t.Log(out)
	}
}

// openssl s_client trusts the private CA, agrees on both versions and resumes both.
func TestOpenSSLClient(t *testing.T) {
	r := startRelay(t, Config{})
	m, ca := r.mapping(true), r.caFile()
	for _, version := range []string{"-tls1_2", "-tls1_3"} {
		t.Run(version, func(t *testing.T) {
			session := filepath.Join(t.TempDir(), "session")
			base := []string{"s_client", "-connect", m.Endpoint, "-servername", m.Hostname, "-CAfile", ca, "-verify_return_error", version}
			first := r.throughOpenSSL(t, append(base, "-sess_out", session))
			if !strings.Contains(first, "Verification: OK") || !strings.Contains(first, "New, ") {
				t.Errorf("the first connection:\n%s", first)
			}
			if again := r.throughOpenSSL(t, append(base, "-sess_in", session)); !strings.Contains(again, "Reused, ") {
				t.Errorf("the second connection:\n%s", again)
			}
		})
	}
	for _, version := range []string{"-tls1", "-tls1_1"} {
		out := peer(t, strings.NewReader(""), "openssl", "s_client", "-connect", m.Endpoint, version, "-cipher", "DEFAULT@SECLEVEL=0")
		if !strings.Contains(out, "no peer certificate available") || !strings.Contains(out, "protocol version") {
			t.Errorf("%s:\n%s", version, out)
		}
	}
}

// throughOpenSSL has a line echoed by the device, after which openssl has the server's tickets, and gives what openssl printed.
func (r *testRelay) throughOpenSSL(t *testing.T, args []string) string {
	t.Helper()
	if _, err := exec.LookPath("openssl"); err != nil && os.Getenv("CI") != "true" {
		t.Skip("openssl is not installed: make setup")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, "openssl", args...)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	io.WriteString(in, "echoed by the device\n")
	var said strings.Builder
	for lines := bufio.NewScanner(out); lines.Scan(); {
		said.WriteString(lines.Text() + "\n")
		if strings.Contains(lines.Text(), "echoed by the device") {
			in.Close()
		}
	}
	cmd.Wait()
	return said.String()
}

// webDevice is a device with a web server: the network that leads to it.
func webDevice(t *testing.T, srv *httptest.Server) Network {
	t.Helper()
	t.Cleanup(srv.Close)
	return networkFunc(func(ctx context.Context, _ string, _ uint16) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "tcp", srv.Listener.Addr().String())
	})
}

// curl speaks HTTP/2 with a device that does, through the option OFF; and HTTP/1.1 with a plain one through the option ON.
func TestCurl(t *testing.T) {
	say := http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) { io.WriteString(w, "hello over "+req.Proto) })
	secure := httptest.NewUnstartedServer(say)
	secure.EnableHTTP2 = true
	secure.StartTLS()
	r := startRelay(t, Config{Network: webDevice(t, secure)})
	if out := peer(t, nil, "curl", "-sS", "-k", "--http2", "-w", " %{http_version}", "https://"+r.mapping(false).Endpoint+"/"); out != "hello over HTTP/2.0 2" {
		t.Errorf("HTTP/2: %q", out)
	}
	r = startRelay(t, Config{Network: webDevice(t, httptest.NewServer(say))})
	m := r.mapping(true)
	url := "https://" + m.Hostname + ":" + strconv.Itoa(m.Port) + "/"
	out := peer(t, nil, "curl", "-sS", "--cacert", r.caFile(), "--resolve", m.Hostname+":"+strconv.Itoa(m.Port)+":"+m.IPAddress, "-w", " %{ssl_verify_result}", url)
	if out != "hello over HTTP/1.1 0" {
		t.Errorf("TLS option: %q", out)
	}
}

// A WebSocket of the device works through the option ON and OFF.
func TestWebSocket(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		conn, err := websocket.Accept(w, req, nil)
		if err != nil {
			return
		}
		defer conn.CloseNow()
		for {
			kind, b, err := conn.Read(req.Context())
			if err != nil || conn.Write(req.Context(), kind, b) != nil {
				return
			}
		}
	}))
	r := startRelay(t, Config{Network: webDevice(t, srv)})
	for _, tlsOn := range []bool{false, true} {
		m := r.mapping(tlsOn)
		transport := &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) { return r.dial(m), nil }}
		url := "ws://device/"
		if tlsOn {
			transport.DialTLSContext = func(context.Context, string, string) (net.Conn, error) { return r.dialTLS(m), nil }
			url = "wss://device/"
		}
		conn, _, err := websocket.Dial(t.Context(), url, &websocket.DialOptions{HTTPClient: &http.Client{Transport: transport}})
		if err != nil {
			t.Fatal(err)
		}
		for _, size := range []int{1, 20_000} {
			want := strings.Repeat("x", size)
			if err := conn.Write(t.Context(), websocket.MessageText, []byte(want)); err != nil {
				t.Fatal(err)
			}
			if _, got, err := conn.Read(t.Context()); err != nil || string(got) != want {
				t.Errorf("tls=%v: %d bytes came back of %d, %v", tlsOn, len(got), size, err)
			}
		}
		if err := conn.Close(websocket.StatusNormalClosure, ""); err != nil {
			t.Errorf("tls=%v: close: %v", tlsOn, err)
		}
		transport.CloseIdleConnections()
		if e := r.awaitAudit(relayapi.AuditClosed); e.Code != "" {
			t.Errorf("tls=%v: audit entry %+v", tlsOn, e)
		}
	}
}
