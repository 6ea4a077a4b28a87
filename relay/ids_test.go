package relay

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"testing"

	"minato/relay/relayapi"
	"minato/relay/store"
)

// idLengths are around each bound that there is on the way to the store and in NATS, whose longest control line is 4096 bytes.
var idLengths = []int{maxID, maxID + 1, maxParameter + 1, 1025, 2100, 4030, 5000, 15 << 10}

// call sends a request of any size and gives the status and the answer's code.
func (r *testRelay) call(method, path, body string, auth *relayapi.AuthResponse) (status int, code string) {
	r.t.Helper()
	req, err := http.NewRequest(method, r.BaseURL+path, strings.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	if auth != nil {
		req.Header.Set(relayapi.HeaderAPIKey, auth.APIKey)
		req.Header.Set(relayapi.HeaderToken, auth.Token)
	}
	resp, err := r.HTTPClient.Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	defer resp.Body.Close()
	var answer relayapi.Error
	if resp.StatusCode >= 400 {
		if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
			r.t.Errorf("%s %.40s: %v", method, path, err)
		}
	}
	io.Copy(io.Discard, resp.Body)
	return resp.StatusCode, answer.Code
}

// TestLongIDs: what is too long in a path, a query string or a body is a 400, from anybody, and the store goes on.
func TestLongIDs(t *testing.T) {
	r := startRelay(t, Config{CallRate: 100_000, Metrics: "127.0.0.1:0"})
	auth, err := r.Auth(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	r.mapping(false)
	try := func(want int, method, path, body string, auth *relayapi.AuthResponse) {
		t.Helper()
		if got, code := r.call(method, path, body, auth); got != want || got == 400 && code != codeBadField {
			t.Errorf("%s %.60s %.60s: %d %s, want %d", method, path, body, got, code, want)
		}
		if err := r.Alive(t.Context()); err != nil {
			t.Fatalf("%s %.60s %.60s: %v", method, path, body, err)
		}
	}
	for _, n := range idLengths {
		for _, letter := range []string{"a", ".", "*", "é", "<"} {
			id := strings.Repeat(letter, n/len(letter))
			tooLong := len(id) > maxID
			either := func(good int) int {
				if tooLong {
					return http.StatusBadRequest
				}
				return good
			}
			quoted := `"` + id + `"`
			try(either(401), "POST", "/v1/auth", `{"authKeyId":`+quoted+`,"authKey":"x"}`, nil)
			try(either(401), "POST", "/v1/auth", `{"operatorId":"OP0000000001","userName":`+quoted+`,"password":"x"}`, nil)
			console := `{"authKeyId":` + quoted + `,"authKey":"x"}`
			if status, _, answer := r.raw(fmt.Sprintf("POST /console/session HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
				len(console), console)); status != either(401) {
				t.Errorf("the console's sign-in with %d bytes: %d %s", len(id), status, answer)
			}
			try(either(201), "POST", "/v1/keys", `{"role":"viewer","simIds":[`+quoted+`]}`, auth)
			try(201, "POST", "/v1/keys", `{"role":"viewer","tags":{`+quoted+`:`+quoted+`}}`, auth)
			try(400, "POST", "/v1/users", `{"role":"viewer","password":"12345678","userName":`+quoted+`}`, auth)
			try(404, "POST", "/v1/port_mappings", `{"destination":{"port":1,"simId":`+quoted+`}}`, auth)
			try(404, "POST", "/v1/port_mappings", `{"destination":{"port":1,"imsi":`+quoted+`}}`, auth)

			if id[0] == '.' {
				id = "a" + id[1:] // a path of dots is another path
			}
			for _, rt := range apiRoutes {
				method, pattern, _ := strings.Cut(rt.pattern, " ")
				if !strings.Contains(pattern, "{") {
					continue
				}
				path := pattern
				for strings.Contains(path, "{") {
					before, after, _ := strings.Cut(path, "{")
					_, after, _ = strings.Cut(after, "}")
					path = before + url.PathEscape(id) + after
				}
				if len(path) > 15<<10 {
					continue // of a request's head
				}
				status, code := r.call(method, path, `{}`, auth)
				if tooLong && (status != 400 || code != codeBadField) || status >= 500 {
					t.Errorf("%s with %d bytes: %d %s", rt.pattern, len(id), status, code)
				}
				if err := r.Alive(t.Context()); err != nil {
					t.Fatalf("%s with %d bytes: %v", rt.pattern, len(id), err)
				}
			}
			for _, path := range []string{
				"/v1/audit_logs/napter?resource_id=", "/v1/audit_logs/napter?sim_id=", "/v1/audit_logs/napter?code=", "/v1/audit_logs/napter?last_evaluated_key=",
				"/v1/audit_logs/connections?sim_id=", "/v1/audit_logs/connections?type=", "/v1/audit_logs/connections?last_evaluated_key=",
				"/v1/audit_logs/api?api_kind=", "/v1/audit_logs/api?last_evaluated_key=", "/v1/logs?resource_id=", "/v1/logs?service=",
				"/v1/stats/connections?sim_id=", "/v1/stats/napter/audit_logs?year_month=", "/v1/connections?sim_id=",
				"/v1/subscribers?tag_name=", "/v1/subscribers?status_filter=", "/v1/keys?last_evaluated_key=", "/v1/users?last_evaluated_key=",
				"/v1/sims?last_evaluated_key=", "/v1/port_mappings?last_evaluated_key=",
			} {
				if path += url.QueryEscape(id); len(path) > 15<<10 {
					continue
				}
				status, code := r.call("GET", path, "", auth)
				if len(id) > maxParameter && (status != 400 || code != codeBadField) || status >= 500 {
					t.Errorf("%.50s with %d bytes: %d %s", path, len(id), status, code)
				}
				if err := r.Alive(t.Context()); err != nil {
					t.Fatalf("%.50s with %d bytes: %v", path, len(id), err)
				}
			}
		}
	}
}

// FuzzAuditQuery: no query and no cursor ends the store's connection, or is the relay's fault.
func FuzzAuditQuery(f *testing.F) {
	f.Add("sim_id=8981100000000000001&last_evaluated_key=1z141z4.1")
	f.Add("sim_id=8981100000000000001&last_evaluated_key=3w5e11264sgsf.3w5e11264sgsf")
	f.Add("resource_id=%00%2e%2a%3e&type=CREATED&limit=1")
	f.Add("from=1&to=253402300799999&code=R05")
	f.Add("resource_id=" + strings.Repeat(".", 500) + "&sim_id=" + strings.Repeat("%3e", 170))
	r, err := New(Config{Dir: f.TempDir(), Network: networkFunc(nil), Directory: testSIMs})
	if err != nil {
		f.Fatal(err)
	}
	if r.store, err = store.Open(f.Context(), store.Config{Dir: r.cfg.Dir}); err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { r.store.Close() })
	r.auditMapping(store.Created, store.Mapping{SIMID: simA, IMSI: imsiA}, netip.AddrPort{})
	if r.tokenKey, err = r.store.Secret(f.Context(), tokenKeySecret, func() ([]byte, error) { return []byte("x"), nil }); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, query string) {
		u, err := url.Parse("http://relay/v1/audit_logs/connections")
		if err != nil {
			t.Fatal(err)
		}
		u.RawQuery = query
		c := &call{Request: (&http.Request{Method: http.MethodGet, URL: u}).WithContext(t.Context()), header: http.Header{}}
		if err := checkLengths(c, "GET /v1/audit_logs/connections"); err == nil {
			_, err = r.listConnectionLogs(c)
			if api := (*apiError)(nil); err != nil && !errors.As(err, &api) {
				t.Errorf("%q: %v", query, err)
			}
		}
		if err := r.Alive(t.Context()); err != nil {
			t.Fatal(err)
		}
	})
}
