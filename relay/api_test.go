package relay

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"minato/relay/relayapi"
)

// request sends a raw request with good credentials unless headers say otherwise.
func (r *testRelay) request(method, path, body string, headers map[string]string) (status int, answer string, header http.Header) {
	r.t.Helper()
	auth, err := r.Auth(r.t.Context())
	if err != nil {
		r.t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(r.t.Context(), method, r.BaseURL+path, strings.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	req.Header.Set(relayapi.HeaderAPIKey, auth.APIKey)
	req.Header.Set(relayapi.HeaderToken, auth.Token)
	for k, v := range headers {
		req.Header.Set(k, v)
	}
	resp, err := r.HTTPClient.Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	return resp.StatusCode, string(b), resp.Header
}

func TestCreatePortMapping(t *testing.T) {
	clock := newFakeClock()
	r := startRelay(t, Config{Clock: clock, Domain: "relay.example"})
	now := clock.Now().UnixMilli()
	common := relayapi.PortMapping{
		IPAddress: "127.0.0.1", Hostname: "127-0-0-1.relay.example", OperatorID: "OP0000000001",
		CreatedTime: now, ExpiredTime: now + 1800_000, Duration: 1800, Placement: "default",
		Source: relayapi.Source{IPRanges: []string{"127.0.0.1/32"}},
	}
	for _, tt := range []struct {
		name, path, body string
		want             func(*relayapi.PortMapping)
	}{
		{"by imsi, with defaults", "/v1/port_mappings", `{"destination":{"imsi":"` + imsiA + `","port":80}}`, func(m *relayapi.PortMapping) {
			m.IMSI = imsiA
			m.Destination = relayapi.Destination{Port: 80, IMSI: imsiA, Strategy: "IMSI_PRIORITIZED"}
		}},
		{"by simId, everything given", "/v1/port_mappings",
			`{"destination":{"simId":"` + simA + `","imsi":"ignored","service":"air","port":22,"destinationChoosingStrategy":"ignored"},"duration":28800,
			  "source":{"ipRanges":["203.0.113.9/24","203.0.113.0/24","2001:db8::1/128"]},"tlsRequired":true}`,
			func(m *relayapi.PortMapping) {
				m.SIMID, m.TLSRequired, m.Duration, m.ExpiredTime = simA, true, 28800, now+28800_000
				m.Destination = relayapi.Destination{Port: 22, SIMID: simA, Strategy: "AIR_PRIORITIZED"}
				m.Source.IPRanges = []string{"203.0.113.0/24", "2001:db8::1/128"}
			}},
		{"for a SIM", "/v1/port_mappings/sims/" + simA, `{"destination":{"port":65535},"duration":1,"source":{}}`, func(m *relayapi.PortMapping) {
			m.SIMID, m.Duration, m.ExpiredTime = simA, 1, now+1000
			m.Destination = relayapi.Destination{Port: 65535, SIMID: simA, Strategy: "DYNAMIC"}
		}},
		{"offline SIM, arc", "/v1/port_mappings", `{"destination":{"simId":"` + simB + `","service":"arc","port":1}}`, func(m *relayapi.PortMapping) {
			m.SIMID = simB
			m.Destination = relayapi.Destination{Port: 1, SIMID: simB, Strategy: "ARC_PRIORITIZED"}
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			status, answer, _ := r.request("POST", tt.path, tt.body, nil)
			if status != http.StatusCreated {
				t.Fatalf("status %d: %s", status, answer)
			}
			var got relayapi.PortMapping
			if err := json.Unmarshal([]byte(answer), &got); err != nil {
				t.Fatal(err)
			}
			want := common
			tt.want(&want)
			if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(relayapi.PortMapping{}, "Port", "Endpoint", "Warnings")); diff != "" {
				t.Errorf("mapping (-want +got):\n%s", diff)
			}
			if got.Port < 10000 || got.Port > 32767 {
				t.Errorf("port %d is outside the range", got.Port)
			}
			if e := r.awaitAudit(relayapi.AuditCreated); e.Direction.SourceIPAddress != "127.0.0.1" {
				t.Errorf("audit entry %+v; want CREATED by 127.0.0.1", e)
			}
		})
	}
	for path, want := range map[string]int{
		"/v1/port_mappings":                      4,
		"/v1/port_mappings/sims/" + simA:         2,
		"/v1/port_mappings/subscribers/" + imsiA: 1,
	} {
		_, answer, _ := r.request("GET", path, "", nil)
		var got []relayapi.PortMapping
		if err := json.Unmarshal([]byte(answer), &got); err != nil || len(got) != want {
			t.Errorf("GET %s: %d mappings, %v; want %d", path, len(got), err, want)
		}
	}
	_, first, header := r.request("GET", "/v1/port_mappings?limit=3", "", nil)
	next := header.Get(relayapi.HeaderNextKey)
	_, second, header := r.request("GET", "/v1/port_mappings?limit=3&last_evaluated_key="+next, "", nil)
	if strings.Count(first, `"endpoint"`) != 3 || strings.Count(second, `"endpoint"`) != 1 || next == "" || header.Get(relayapi.HeaderNextKey) != "" {
		t.Errorf("paging: %s, next %q, then %s", first, next, second)
	}
}

func TestBadRequests(t *testing.T) {
	r := startRelay(t, Config{})
	ok := `"destination":{"simId":"` + simA + `","port":80}`
	for _, tt := range []struct {
		name, method, path, body string
		status                   int
		code, says               string
	}{
		{"empty body", "POST", "/v1/port_mappings", ``, 400, codeBadBody, "empty"},
		{"not JSON", "POST", "/v1/port_mappings", `{"destination":`, 400, codeBadBody, "ends too early"},
		{"broken JSON", "POST", "/v1/port_mappings", `{"destination"}`, 400, codeBadBody, "not JSON"},
		{"array", "POST", "/v1/port_mappings", `[]`, 400, codeBadField, "an object"},
		{"two objects", "POST", "/v1/port_mappings", `{` + ok + `}{}`, 400, codeBadBody, "goes on"},
		{"unknown field", "POST", "/v1/port_mappings", `{` + ok + `,"tlsrequire":true}`, 400, codeBadBody, `"tlsrequire"`},
		{"too long", "POST", "/v1/port_mappings", `{"x":"` + strings.Repeat("x", maxBody) + `"}`, 413, codeTooLarge, "65536"},
		{"trailing space too long", "POST", "/v1/port_mappings", `{` + ok + `}` + strings.Repeat(" ", maxBody), 413, codeTooLarge, "65536"},
		{"no destination", "POST", "/v1/port_mappings", `{}`, 400, codeBadField, "destination.port 0"},
		{"no SIM", "POST", "/v1/port_mappings", `{"destination":{"port":80}}`, 400, codeBadField, "simId and imsi"},
		{"port 0", "POST", "/v1/port_mappings", `{"destination":{"simId":"x","port":0}}`, 400, codeBadField, "from 1 to 65535"},
		{"port 65536", "POST", "/v1/port_mappings", `{"destination":{"simId":"x","port":65536}}`, 400, codeBadField, "65536"},
		{"port as text", "POST", "/v1/port_mappings", `{"destination":{"simId":"x","port":"80"}}`, 400, codeBadField, "destination.port"},
		{"half a second", "POST", "/v1/port_mappings", `{` + ok + `,"duration":0.5}`, 400, codeBadField, "duration"},
		{"duration 0", "POST", "/v1/port_mappings", `{` + ok + `,"duration":0}`, 400, codeBadField, "1 to 28800"},
		{"duration 28801", "POST", "/v1/port_mappings", `{` + ok + `,"duration":28801}`, 400, codeBadField, "28801"},
		{"range without length", "POST", "/v1/port_mappings", `{` + ok + `,"source":{"ipRanges":["203.0.113.7"]}}`, 400, codeBadField, "ipRanges[0]"},
		{"range of 33 bits", "POST", "/v1/port_mappings", `{` + ok + `,"source":{"ipRanges":["0.0.0.0/0","203.0.113.0/33"]}}`, 400, codeBadField, "ipRanges[1]"},
		{"IPv4 in IPv6", "POST", "/v1/port_mappings", `{` + ok + `,"source":{"ipRanges":["::ffff:203.0.113.0/120"]}}`, 400, codeBadField, "CIDR"},
		{"range with zone", "POST", "/v1/port_mappings", `{` + ok + `,"source":{"ipRanges":["fe80::1%eth0/64"]}}`, 400, codeBadField, "CIDR"},
		{"name as range", "POST", "/v1/port_mappings", `{` + ok + `,"source":{"ipRanges":["office"]}}`, 400, codeBadField, "office"},
		{"too many ranges", "POST", "/v1/port_mappings", `{` + ok + `,"source":{"ipRanges":["` + strings.Repeat(`1.1.1.1/32","`, 100) + `1.1.1.1/32"]}}`, 400, codeBadField, "at most 100"},
		{"ranges as text", "POST", "/v1/port_mappings", `{` + ok + `,"source":{"ipRanges":"1.1.1.1/32"}}`, 400, codeBadField, "an array"},
		{"unknown SIM", "POST", "/v1/port_mappings", `{"destination":{"simId":"nobody","port":80}}`, 404, codeNoSIM, "nobody"},
		{"unknown IMSI", "POST", "/v1/port_mappings", `{"destination":{"imsi":"1","port":80}}`, 404, codeNoSIM, "imsi"},
		{"unknown service", "POST", "/v1/port_mappings", `{"destination":{"simId":"` + simA + `","service":"sea","port":80}}`, 400, codeBadField, "sea"},
		{"service with imsi", "POST", "/v1/port_mappings", `{"destination":{"imsi":"` + imsiA + `","service":"air","port":80}}`, 400, codeBadField, "simId"},
		{"unknown SIM in path", "POST", "/v1/port_mappings/sims/nobody", `{"destination":{"port":80}}`, 404, codeNoSIM, "nobody"},
		{"other SIM in body", "POST", "/v1/port_mappings/sims/" + simA, `{"destination":{"simId":"` + simB + `","port":80}}`, 400, codeBadField, "the path"},
		{"delete by name", "DELETE", "/v1/port_mappings/localhost/20000", ``, 400, codeBadField, "ip_address"},
		{"delete port 0", "DELETE", "/v1/port_mappings/127.0.0.1/0", ``, 400, codeBadField, "port"},
		{"delete nothing", "DELETE", "/v1/port_mappings/127.0.0.1/1", ``, 404, codeNoMapping, "127.0.0.1"},
		{"no mappings of SIM", "GET", "/v1/port_mappings/sims/" + simB, ``, 404, codeNoMapping, simB},
		{"no mappings of IMSI", "GET", "/v1/port_mappings/subscribers/" + imsiB, ``, 404, codeNoMapping, imsiB},
		{"no such SIM", "GET", "/v1/sims/nobody", ``, 404, codeNoSIM, "nobody"},
		{"limit", "GET", "/v1/sims?limit=0", ``, 400, codeBadField, "limit"},
		{"audit limit", "GET", "/v1/audit_logs/napter?limit=1001", ``, 400, codeBadField, "1 to 1000"},
		{"audit from", "GET", "/v1/audit_logs/napter?from=yesterday", ``, 400, codeBadField, "from"},
		{"audit resource", "GET", "/v1/audit_logs/napter?resource_type=Sim", ``, 400, codeBadField, "Subscriber"},
		{"audit key", "GET", "/v1/audit_logs/napter?last_evaluated_key=%00", ``, 400, codeBadField, "last_evaluated_key"},
		{"audit key of another query", "GET", "/v1/audit_logs/napter?last_evaluated_key=1z", ``, 400, codeBadField, "X-Soracom-Next-Key"},
		{"audit key that is no time", "GET", "/v1/audit_logs/napter?last_evaluated_key=999999999999", ``, 400, codeBadField, "X-Soracom-Next-Key"},
		{"error log's key that is no time", "GET", "/v1/logs?last_evaluated_key=999999999999", ``, 400, codeBadField, "X-Soracom-Next-Key"},
		{"no path", "GET", "/v1/nothing", ``, 404, codeNoPath, "/v1/nothing"},
		{"root", "GET", "/v1", ``, 404, codeNoPath, "/"},
		{"method", "PUT", "/v1/port_mappings", ``, 405, codeMethod, "PUT, but GET, HEAD, POST"},
		{"token timeout", "POST", "/v1/auth", `{"authKeyId":"x","authKey":"y","tokenTimeoutSeconds":172801}`, 400, codeBadField, "172800"},
		{"password", "POST", "/v1/auth", `{"email":"a@example.com","password":"x"}`, 401, codeUnauthorized, "password"},
		{"wrong key", "POST", "/v1/auth", `{"authKeyId":"keyId-x","authKey":"secret-x"}`, 401, codeUnauthorized, "not known"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			status, answer, header := r.request(tt.method, tt.path, tt.body, nil)
			var e relayapi.Error
			if err := json.Unmarshal([]byte(answer), &e); err != nil {
				t.Fatalf("the answer %q is not JSON: %v", answer, err)
			}
			if status != tt.status || e.Code != tt.code || !strings.Contains(e.Message, tt.says) {
				t.Errorf("%d %s %q; want %d %s and %q", status, e.Code, e.Message, tt.status, tt.code, tt.says)
			}
			if allow := header.Get("Allow"); (status == http.StatusMethodNotAllowed) != (allow != "") {
				t.Errorf("status %d, Allow: %s", status, allow)
			}
			if ct := header.Get("Content-Type"); ct != "application/json" {
				t.Errorf("content type %q", ct)
			}
		})
	}
	if list, err := r.ListPortMappings(t.Context()); err != nil || len(list) != 0 {
		t.Errorf("bad requests left %v, %v", list, err)
	}
}

func TestCredentials(t *testing.T) {
	clock := newFakeClock()
	r := startRelay(t, Config{Clock: clock})
	good, err := r.Auth(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	other, err := r.Auth(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	try := func(apiKey, token string) int {
		status, _, _ := r.request("GET", "/v1/sims", "", map[string]string{relayapi.HeaderAPIKey: apiKey, relayapi.HeaderToken: token})
		return status
	}
	parts := strings.Split(good.Token, ".")
	for _, tt := range []struct {
		name, apiKey, token string
		want                int
	}{
		{"good", good.APIKey, good.Token, 200},
		{"no key", "", good.Token, 401},
		{"no token", good.APIKey, "", 401},
		{"another's key", other.APIKey, good.Token, 401},
		{"no signature", good.APIKey, parts[0] + "." + parts[1] + ".", 401},
		{"another's payload", good.APIKey, parts[0] + "." + strings.Split(other.Token, ".")[1] + "." + parts[2], 401},
		{"no dots", good.APIKey, "token", 401},
		{"long", strings.Repeat("x", 10000), good.Token, 401},
	} {
		if got := try(tt.apiKey, tt.token); got != tt.want {
			t.Errorf("%s: %d, want %d", tt.name, got, tt.want)
		}
	}
	for _, path := range []string{"/v1/health", "/v1/ca.pem"} {
		resp, err := r.HTTPClient.Get(r.BaseURL + path)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != 200 {
			t.Errorf("%s without credentials: %d", path, resp.StatusCode)
		}
	}
	if status, _, _ := r.request("POST", "/v1/auth/logout", "", map[string]string{relayapi.HeaderAPIKey: other.APIKey, relayapi.HeaderToken: other.Token}); status != 204 {
		t.Errorf("logout: %d", status)
	}
	if got := try(other.APIKey, other.Token); got != 401 {
		t.Errorf("after logout: %d", got)
	}
	clock.Advance(24*time.Hour + time.Second)
	if got := try(good.APIKey, good.Token); got != 401 {
		t.Errorf("after a day: %d", got)
	}
	if _, err := r.SIMs(t.Context()); err != nil {
		t.Errorf("the client does not authenticate again: %v", err)
	}
	fresh, err := r.Auth(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := r.store.DeleteKey(t.Context(), r.AuthKeyID); err != nil {
		t.Fatal(err)
	}
	req, _ := http.NewRequest("GET", r.BaseURL+"/v1/sims", nil)
	req.Header.Set(relayapi.HeaderAPIKey, fresh.APIKey)
	req.Header.Set(relayapi.HeaderToken, fresh.Token)
	resp, err := r.HTTPClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != 401 {
		t.Errorf("with a revoked key: %d", resp.StatusCode)
	}
}

func TestSIMs(t *testing.T) {
	r := startRelay(t, Config{})
	got, err := r.SIMs(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := []relayapi.SIM{
		{SIMID: simA, OperatorID: "OP0000000001", Status: "active", Tags: map[string]string{"name": "pump"}, ActiveProfile: simA,
			Profiles: map[string]relayapi.SIMProfile{simA: {ICCID: simA, PrimaryIMSI: imsiA,
				Subscribers: map[string]relayapi.SIMSubscriber{imsiA: {IMSI: imsiA, MSISDN: "8190", Status: "active"}}}},
			SessionStatus: relayapi.SessionStatus{Online: true, IMSI: imsiA, UEIPAddress: "10.128.0.2"}},
		{SIMID: simB, OperatorID: "OP0000000001", Status: "active", Tags: map[string]string{}, SessionStatus: relayapi.SessionStatus{IMSI: imsiB}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("SIMs (-want +got):\n%s", diff)
	}
}

func TestAuditInJapanese(t *testing.T) {
	r := startRelay(t, Config{})
	conn := r.dial(r.mapping(true))
	io.WriteString(conn, "SSH-2.0-x\r\n")
	expectEOF(t, conn)
	conn.Close()
	r.awaitAuditOf(conn)
	_, answer, _ := r.request("GET", "/v1/audit_logs/napter?resource_type=Subscriber&resource_id="+imsiA, "", map[string]string{"X-Soracom-Lang": "ja"})
	if !strings.Contains(answer, CauseSSHOnTLS.Text("ja")) {
		t.Errorf("no Japanese reason in %s", answer)
	}
}
