package relay

import (
	"bufio"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"strings"
	"testing"

	"minato/relay/relayapi"
)

// A browser sends the console's cookie to a mapping's port of the same host too (RFC 6265 section 8.5), where a device answers. What the device gets opens
// nothing, neither on the API nor on the console, and no more does the page's half of the session; both together do.
func TestConsoleCookieIsWorthNothingToADevice(t *testing.T) {
	seen := make(chan string, 1)
	r := startRelay(t, Config{Network: device(t, func(c *net.TCPConn) {
		req, err := http.ReadRequest(bufio.NewReader(c))
		if err != nil {
			return
		}
		seen <- req.Header.Get("Cookie")
		io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
	})})
	m := r.mapping(false)
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	browser := http.Client{Jar: jar, Transport: transport, Timeout: patience}
	resp, err := browser.Post(r.BaseURL+"/console/session", "application/json", strings.NewReader(`{"authKeyId":"`+r.AuthKeyID+`","authKey":"`+r.AuthKey+`"}`))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var page struct{ Key string }
	if err := json.NewDecoder(resp.Body).Decode(&page); err != nil || page.Key == "" {
		t.Fatalf("signing in: %s, %v, the key is %q", resp.Status, err, page.Key)
	}
	resp, err = browser.Get("http://" + m.Endpoint + "/console/pixel.png") // what the device's page has in an <img>
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	cookie := <-seen
	if !strings.HasPrefix(cookie, "minato_session=") {
		t.Fatalf("the device got the cookie %q: this browser is not like the others", cookie)
	}
	value := strings.TrimPrefix(cookie, "minato_session=")
	apiKey, token, _ := strings.Cut(value, ".")

	const header = "X-Minato-Session-Key"
	for _, tt := range []struct {
		name, path string
		header     map[string]string
		want       int
	}{
		{"the cookie at the API", "/v1/me", map[string]string{"Cookie": cookie}, 401},
		{"the cookie in halves at the API", "/v1/me", map[string]string{relayapi.HeaderAPIKey: apiKey, relayapi.HeaderToken: token}, 401},
		{"the cookie as both credentials at the API", "/v1/me", map[string]string{relayapi.HeaderAPIKey: value, relayapi.HeaderToken: value}, 401},
		{"the cookie at the console", "/console/api/me", map[string]string{"Cookie": cookie}, 401},
		{"the cookie at the console's events", "/console/api/events", map[string]string{"Cookie": cookie}, 401},
		{"the cookie as its own key", "/console/api/me", map[string]string{"Cookie": cookie, header: value}, 401},
		{"the cookie at a device's screen", "/console/vnc?mapping=" + m.Endpoint, map[string]string{"Cookie": cookie}, 401},
		{"both at the API, which is not the console", "/v1/me", map[string]string{"Cookie": cookie, header: page.Key}, 401},
		{"the key alone at the console", "/console/api/me", map[string]string{header: page.Key}, 401},
		{"the key as both credentials at the API", "/v1/me", map[string]string{relayapi.HeaderAPIKey: page.Key, relayapi.HeaderToken: page.Key}, 401},
		{"both at the console", "/console/api/me", map[string]string{"Cookie": cookie, header: page.Key}, 200},
	} {
		t.Run(tt.name, func(t *testing.T) {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, r.BaseURL+tt.path, nil)
			if err != nil {
				t.Fatal(err)
			}
			for name, value := range tt.header {
				req.Header.Set(name, value)
			}
			resp, err := transport.RoundTrip(req)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			if resp.StatusCode != tt.want {
				t.Errorf("%s, want %d", resp.Status, tt.want)
			}
		})
	}
}
