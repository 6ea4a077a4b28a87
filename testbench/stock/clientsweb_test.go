package stock

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"minato/targets/web"
)

func (s *system) curl(t *testing.T, args ...string) string {
	t.Helper()
	return output(t, s.command(t, "curl", "curl", append([]string{"--silent", "--show-error", "--fail", "--http1.1", "--cacert", s.ca}, args...)...))
}

// bases are the page through an ON and through an OFF mapping.
func (s *system) bases() map[string]string {
	on := s.on[portHTTP]
	return map[string]string{"ON": "https://" + on.Endpoint, "OFF": "http://" + s.off[portHTTP].Endpoint}
}

func testCurl(t *testing.T, s *system) {
	body := noise(300_000)
	sum := sha256.Sum256(body)
	file := s.file(t, "upload.bin", body)
	content, err := io.ReadAll(web.Bytes(5000))
	if err != nil {
		t.Fatal(err)
	}
	for option, base := range s.bases() {
		t.Run(option, func(t *testing.T) {
			if got := s.curl(t, "--output", "/dev/null", "--write-out", "%{http_version} %{http_code}", base+"/"); got != "1.1 200" {
				t.Errorf("the page came as %q", got)
			}
			if got := s.curl(t, "--range", "1000-4999", base+"/bytes/1000000"); got != string(content[1000:]) {
				t.Errorf("a range of 4000 bytes came as %d other ones", len(got))
			}
			var up web.Upload
			if err := json.Unmarshal([]byte(s.curl(t, "--upload-file", file, base+"/upload")), &up); err != nil || up.SHA256 != hex.EncodeToString(sum[:]) {
				t.Errorf("the device got %+v, %v; want sha256 %x", up, err, sum)
			}
		})
	}
}

// testWebSocket upgrades by hand, with the key and the answer of RFC 6455 section 1.3, since Debian's curl has no WebSocket of its own.
func testWebSocket(t *testing.T, s *system) {
	for option, base := range s.bases() {
		t.Run(option, func(t *testing.T) {
			cmd := s.command(t, "curl", "curl", "--silent", "--show-error", "--http1.1", "--cacert", s.ca, "--no-buffer", "--include",
				"--header", "Connection: Upgrade", "--header", "Upgrade: websocket",
				"--header", "Sec-WebSocket-Version: 13", "--header", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", base+"/api/socket")
			out, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			defer func() { cmd.Process.Kill(); cmd.Wait() }()
			in := bufio.NewReader(out)
			resp, err := http.ReadResponse(in, nil)
			if err != nil {
				t.Fatal(err)
			}
			if got := resp.Header.Get("Sec-WebSocket-Accept"); resp.StatusCode != http.StatusSwitchingProtocols || got != "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" {
				t.Fatalf("answer %s, accept %q", resp.Status, got)
			}
			// Section 5.2: final text frames with a length of 16 bits, which the values have.
			for range 2 {
				head := make([]byte, 4)
				if _, err := io.ReadFull(in, head); err != nil || head[0] != 0x81 || head[1] != 126 {
					t.Fatalf("frame header % x, %v", head, err)
				}
				message := make([]byte, int(head[2])<<8|int(head[3]))
				if _, err := io.ReadFull(in, message); err != nil || !bytes.Contains(message, []byte(`"level":`)) {
					t.Fatalf("message %q, %v", message, err)
				}
			}
		})
	}
}

func testOpenSSL(t *testing.T, s *system) {
	const request = "GET /healthz HTTP/1.0\r\n\r\n"
	for option, args := range map[string][]string{
		"ON": {"-connect", s.on[portHTTP].Endpoint, "-servername", s.on[portHTTP].Hostname, "-CAfile", s.ca, "-verify_return_error", "-verify_hostname", s.on[portHTTP].Hostname},
		// The certificate is the device's own.
		"OFF": {"-connect", s.off[portHTTPS].Endpoint},
	} {
		t.Run(option, func(t *testing.T) {
			cmd := s.command(t, "openssl", "openssl", append([]string{"s_client", "-quiet"}, args...)...)
			cmd.Stdin = strings.NewReader(request)
			if got := output(t, cmd); !strings.HasSuffix(got, "\r\n\r\nok\n") {
				t.Errorf("answer %q", got)
			}
		})
	}
}

func testStunnel(t *testing.T, s *system) {
	for option, address := range map[string]string{"ON": s.tunnel[portHTTP], "OFF": s.plain} {
		t.Run(option, func(t *testing.T) {
			if got := s.curl(t, "http://"+address+"/healthz"); got != "ok\n" {
				t.Errorf("answer %q", got)
			}
		})
	}
}
