package console

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"minato/relay/relayapi"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// api is a relay's API that knows one key and one token, and answers what it was asked.
type api struct{ ended bool }

func (a *api) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		panic(err)
	}
	switch req.URL.Path {
	case "/v1/auth":
		var given relayapi.AuthRequest
		json.Unmarshal(body, &given)
		if given.AuthKey != "secret" && given.Password != "secret" || given.UserName != "" && given.OperatorID != "OP1" {
			w.WriteHeader(http.StatusUnauthorized)
			io.WriteString(w, `{"code":"MNT0004","message":"wrong"}`)
			return
		}
		json.NewEncoder(w).Encode(relayapi.AuthResponse{APIKey: "api-1", Token: "a.b.c"})
	case "/v1/auth/logout":
		a.ended = true
		w.WriteHeader(http.StatusNoContent)
	default:
		w.Header().Set("Content-Type", "application/json")
		json.NewEncoder(w).Encode(map[string]string{
			"asked": req.Method + " " + req.URL.RequestURI(), "body": string(body),
			"key": req.Header.Get(relayapi.HeaderAPIKey), "token": req.Header.Get(relayapi.HeaderToken), "cookie": req.Header.Get("Cookie"), "session key": req.Header.Get(sessionKeyHeader),
		})
	}
}

// hostKeyMap is HostKeys in memory.
type hostKeyMap struct {
	mu   sync.Mutex
	keys map[string][]byte // guarded by mu
}

func (h *hostKeyMap) HostKey(_ context.Context, sim string) ([]byte, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.keys[sim], nil
}

func (h *hostKeyMap) PinHostKey(_ context.Context, sim string, key []byte) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.keys == nil {
		h.keys = map[string][]byte{}
	}
	h.keys[sim] = key
	return nil
}

// site is a served console with a browser's client.
type site struct {
	*httptest.Server
	*http.Client
	t   *testing.T
	api *api
	key string // what the page keeps of a sign-in
}

// serve runs a console whose mappings lead to device; nil: none is reached.
func serve(t *testing.T, device func(net.Conn)) *site {
	t.Helper()
	a := &api{}
	var devices sync.WaitGroup
	c, err := New(Config{OperatorID: "OP1", API: a, HostKeys: &hostKeyMap{}, Dial: func(req *http.Request, _ netip.AddrPort) (*Connection, error) {
		if req.Header.Get(relayapi.HeaderToken) != "a.b.c" {
			return nil, &Refusal{Code: "MNT0004", Message: "who are you?"}
		}
		if device == nil {
			return nil, &Refusal{Code: "R11", Message: "the SIM has no session"}
		}
		l, err := net.Listen("tcp", "127.0.0.1:0") // not a pipe: both ends of SSH write first
		if err != nil {
			return nil, err
		}
		defer l.Close()
		accepted := make(chan struct{}) // what waits to be accepted when the listener closes is reset
		devices.Go(func() {
			theirs, err := l.Accept()
			close(accepted)
			if err != nil {
				return
			}
			defer theirs.Close()
			device(theirs)
		})
		ours, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			return nil, err
		}
		<-accepted
		return &Connection{Conn: ours, ID: "c1", SIMID: "sim", DevicePort: 5900}, nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(c)
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Jar: jar, Transport: s.Client().Transport}
	t.Cleanup(func() { c.Close(); s.Close(); devices.Wait(); client.CloseIdleConnections() })
	return &site{s, client, t, a, ""}
}

func (s *site) do(method, path, body string, header ...string) (int, string, http.Header) {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), method, s.URL+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	req.Header.Set(sessionKeyHeader, s.key)
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := s.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return resp.StatusCode, string(b), resp.Header
}

func (s *site) signIn() {
	s.t.Helper()
	s.signInAs(`{"authKeyId":"keyId-1","authKey":"secret"}`)
}

// signInAs keeps the page's half of the session, and gives the answer's header.
func (s *site) signInAs(credentials string) http.Header {
	s.t.Helper()
	status, body, header := s.do("POST", "/console/session", credentials)
	var got map[string]string
	if err := json.Unmarshal([]byte(body), &got); status != http.StatusOK || err != nil || len(got) != 1 || got["key"] == "" {
		s.t.Fatalf("signing in: %d %q, want 200 with the key and nothing else", status, body)
	}
	s.key = got["key"]
	return header
}

func TestSession(t *testing.T) {
	s := serve(t, nil)
	if status, body, _ := s.do("POST", "/console/session", `{"authKeyId":"keyId-1","authKey":"wrong"}`); status != http.StatusUnauthorized || !strings.Contains(body, "wrong") {
		t.Errorf("a wrong key: %d %s, want 401 with the API's words", status, body)
	}
	cookie := s.signInAs(`{"userName":"ann","password":"secret"}`).Get("Set-Cookie")
	for _, want := range []string{"HttpOnly", "SameSite=Strict", "Path=/console/", "Max-Age=28800"} {
		if !strings.Contains(cookie, want) {
			t.Errorf("the cookie %q lacks %s", cookie, want)
		}
	}
	_, body, _ := s.do("GET", "/console/api/sims?limit=2", "", relayapi.HeaderToken, "forged")
	var got map[string]string
	if err := json.Unmarshal([]byte(body), &got); err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"asked": "GET /v1/sims?limit=2", "body": "", "key": "api-1", "token": "a.b.c", "cookie": "", "session key": ""}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("what the API is asked (-want +got):\n%s", diff)
	}
	if status, _, _ := s.do("DELETE", "/console/session", ""); status != http.StatusNoContent || !s.api.ended {
		t.Errorf("signing out: %d, ended %v, want 204 and the token ended", status, s.api.ended)
	}
	_, body, _ = s.do("GET", "/console/api/sims", "")
	if strings.Contains(body, "a.b.c") {
		t.Errorf("after signing out the API still gets the token: %s", body)
	}
}

func TestRefusedRequests(t *testing.T) {
	s := serve(t, nil)
	s.signIn()
	for _, tt := range []struct {
		name, method, path, body string
		header                   []string
		want                     int
	}{
		{"another site", "POST", "/console/api/port_mappings", `{}`, []string{"Sec-Fetch-Site", "cross-site"}, 403},
		{"another origin", "DELETE", "/console/session", ``, []string{"Origin", "https://evil.example"}, 403},
		{"a form", "POST", "/console/api/port_mappings", `a=b`, []string{"Content-Type", "application/x-www-form-urlencoded"}, 415},
		{"a form signs in", "POST", "/console/session", `a=b`, []string{"Content-Type", "text/plain"}, 415},
		{"no sign-in", "POST", "/console/session", `{"unknown":1}`, nil, 400},
		{"credentials", "POST", "/console/api/auth", `{"authKey":"secret"}`, nil, 403},
		{"another token", "POST", "/console/api/operators/OP1/token", `{}`, nil, 403},
		{"a new key", "POST", "/console/api/keys", `{}`, nil, 403},
		{"a page is written", "POST", "/console/devices", ``, nil, 405},
		{"a script of another build", "GET", "/console/main-OLD.js", ``, nil, 404},
		{"no text for a code", "GET", "/console/qr.svg", ``, nil, 400},
		{"no mapping", "GET", "/console/vnc?mapping=here", ``, nil, 400},
		{"no WebSocket", "GET", "/console/vnc?mapping=127.0.0.1:10000", ``, nil, 426},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got, body, _ := s.do(tt.method, tt.path, tt.body, tt.header...); got != tt.want {
				t.Errorf("%s %s: %d %s, want %d", tt.method, tt.path, got, body, tt.want)
			}
		})
	}
}

func TestHeaders(t *testing.T) {
	s := serve(t, nil)
	for _, path := range []string{"/console/", "/console/devices/1", "/console/api/sims", "/console/qr.svg?text=x"} {
		_, _, h := s.do("GET", path, "")
		csp := h.Get("Content-Security-Policy")
		if !strings.Contains(csp, "default-src 'none'") || !strings.Contains(csp, "frame-ancestors 'none'") || strings.Contains(csp, "unsafe") {
			t.Errorf("%s: the policy is %q", path, csp)
		}
		if h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: the headers are %v", path, h)
		}
	}
}

// TestNoStrictTransport: over TLS neither, since it would close the mappings without TLS on the same host to the browser.
func TestNoStrictTransport(t *testing.T) {
	c, err := New(Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	answer := httptest.NewRecorder()
	c.ServeHTTP(answer, httptest.NewRequest("GET", "https://relay.example/console/", nil))
	if got := answer.Header().Get("Strict-Transport-Security"); got != "" {
		t.Errorf("Strict-Transport-Security: %q", got)
	}
}
