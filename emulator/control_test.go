package emulator

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"

	"minato/agent/ppp"
)

// ask makes a request of the control API, and holds it and the answer to the API's document.
func ask(t *testing.T, e *Emulator, method, path, body string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, "http://"+e.ControlAddr()+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Close = true
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	judge(t, req, []byte(body), resp, text)
	return resp.StatusCode, string(text)
}

func TestControlAPI(t *testing.T) {
	e := start(t, Config{Modems: 2})
	for _, tt := range []struct {
		name, method, path, body string
		status                   int
		want                     string
	}{
		{"health", "GET", "/v1/health", "", 200, `"status":"ok"`},
		{"document", "GET", "/v1/openapi.yaml", "", 200, "openapi: 3"},
		{"modems", "GET", "/v1/modems", "", 200, `"modem":1,`},
		{"modem", "GET", "/v1/modems/1", "", 200, `"imsi":"440101234567891"`},
		{"no modem", "GET", "/v1/modems/2", "", 404, `{"code":"not_found","message":"there is no modem \"2\": 0 to 1 are there"}`},
		{"modem by name", "GET", "/v1/modems/x", "", 404, `"not_found"`},
		{"signal", "PUT", "/v1/modems/0/signal", `{"rssi":-113}`, 204, ""},
		{"bad signal", "PUT", "/v1/modems/0/signal", `{"rssi":"loud"}`, 400, "bad_request"},
		{"RSSI too strong", "PUT", "/v1/modems/0/signal", `{"rssi":5}`, 400, "rssi 5: -113 to -51 dBm are allowed"},
		{"RSRP too strong", "PUT", "/v1/modems/0/signal", `{"rsrp":-43}`, 400, "rsrp -43: -141 to -44 dBm are allowed"},
		{"RSRQ too weak", "PUT", "/v1/modems/0/signal", `{"rsrq":-21}`, 400, "rsrq -21: -20 to -3 dB are allowed"},
		{"SINR too strong", "PUT", "/v1/modems/0/signal", `{"sinr":31}`, 400, "sinr 31: -20 to 30 dB are allowed"},
		{"signal is set", "GET", "/v1/modems/0", "", 200, `"csq":0`},
		{"circuits", "GET", "/v1/modems/0", "", 200, `"ports":[{"name":"at","state":"command","dtr":false,"dcd":false,"ri":false,"rate":115200}`},
		{"circuit", "PUT", "/v1/modems/0/ports/at", `{"dtr":true}`, 204, ""},
		{"circuit is set", "GET", "/v1/modems/0", "", 200, `{"name":"at","state":"command","dtr":true,`},
		{"no carrier to lose", "PUT", "/v1/modems/0/ports/at", `{"dcd":false}`, 409, "no carrier to lose"},
		{"no carrier by hand", "PUT", "/v1/modems/0/ports/at", `{"dcd":true}`, 409, "by a call"},
		{"nobody calls", "PUT", "/v1/modems/0/ports/at", `{"ri":false}`, 409, "nobody calls"},
		{"number without a call", "PUT", "/v1/modems/0/ports/at", `{"number":"0312345678"}`, 400, "goes with ri: true"},
		{"bad number", "PUT", "/v1/modems/0/ports/at", `{"ri":true,"number":"+"}`, 400, `number \"+\": must be up to 20 digits`},
		{"no such port", "PUT", "/v1/modems/0/ports/x", `{}`, 404, "no such port"},
		{"reset", "POST", "/v1/modems/0/reset", "", 204, ""},
		{"sims", "GET", "/v1/sims", "", 200, `"simId":"8981100000000000002"`},
		{"sim", "GET", "/v1/sims/8981100000000000010", "", 200, `"name":"modem1"`},
		{"sim by IMSI", "GET", "/v1/sims/440101234567891", "", 200, `"name":"modem1"`},
		{"no sim", "GET", "/v1/sims/1", "", 404, "not_found"},
		{"shape", "PUT", "/v1/sims/440101234567891/shape", `{"shape":"catM1"}`, 204, ""},
		{"shape is set", "GET", "/v1/sims/8981100000000000010/shape", "", 200, `{"shape":"catM1"}`},
		{"shape of another", "GET", "/v1/sims/8981100000000000002/shape", "", 200, `{"shape":"none"}`},
		{"bad shape", "PUT", "/v1/sims/440101234567891/shape", `{"shape":"rate=fast"}`, 400, "want bits a second"},
		{"faults", "GET", "/v1/faults", "", 200, `"active":[]`},
		{"inject", "POST", "/v1/faults", `{"name":"registration-denied","modem":1}`, 204, ""},
		{"active", "GET", "/v1/faults", "", 200, `"active":[{"name":"registration-denied","modem":1,"params":{},`},
		{"unknown fault", "POST", "/v1/faults", `{"name":"x"}`, 400, "bad_request"},
		{"unknown field", "POST", "/v1/faults", `{"name":"deact","sim":1}`, 400, `unknown field \"sim\"`},
		{"no such modem", "POST", "/v1/faults", `{"name":"deact","modem":7}`, 400, "0 to 1 are there"},
		{"not now", "POST", "/v1/faults", `{"name":"no-carrier"}`, 409, "conflict"},
		{"two objects", "POST", "/v1/faults", `{"name":"deact"}{}`, 400, "bad_request"},
		{"not now, of all", "POST", "/v1/faults", `{"name":"no-carrier","modem":"all"}`, 409, "modem 1: "},
		{"into all", "POST", "/v1/faults", `{"name":"silent-link","modem":"all","for":"1h"}`, 204, ""},
		{"numbers and booleans", "POST", "/v1/faults", `{"name":"weak-signal","params":{"loss":40}}`, 204, ""},
		{"a number is a text then", "GET", "/v1/faults", "", 200, `"params":{"loss":"40",`},
		{"clear of a number", "DELETE", "/v1/faults?name=weak-signal", "", 204, ""},
		{"boolean", "POST", "/v1/faults", `{"name":"silent-link","modem":1,"params":{"lcp":true}}`, 204, ""},
		{"boolean for a number", "POST", "/v1/faults", `{"name":"weak-signal","params":{"loss":true}}`, 400, "parameter loss: "},
		{"not a value", "POST", "/v1/faults", `{"name":"weak-signal","params":{"loss":[40]}}`, 400, "params: loss: must be"},
		{"no object", "POST", "/v1/faults", `{"name":"weak-signal","params":40}`, 400, "params: must be an object"},
		{"bad modem", "POST", "/v1/faults", `{"name":"silent-link","modem":"both"}`, 400, "must be a number from 0"},
		{"bad duration", "POST", "/v1/faults", `{"name":"silent-link","for":"soon"}`, 400, "must be a positive duration"},
		{"until", "GET", "/v1/modems/0", "", 200, `"until":"2`},
		{"clear of no modem", "DELETE", "/v1/faults?modem=2", "", 400, "0 to 1 are there, or all"},
		{"clear of no fault", "DELETE", "/v1/faults?name=x", "", 400, "not known"},
		{"clear of one", "DELETE", "/v1/faults?modem=0&name=silent-link", "", 204, ""},
		{"one is clear", "GET", "/v1/modems/0", "", 200, `"faults":[]`},
		{"the other is not", "GET", "/v1/modems/1", "", 200, `"name":"silent-link"`},
		{"clear of all", "DELETE", "/v1/faults?modem=all&name=silent-link", "", 204, ""},
		{"clear", "DELETE", "/v1/faults", "", 204, ""},
		{"cleared", "GET", "/v1/faults", "", 200, `"active":[]`},
		{"elsewhere", "GET", "/", "", 404, "not_found"},
		{"modems are not made", "POST", "/v1/modems", "", 405, `{"code":"method_not_allowed","message":"there is no POST /v1/modems: GET, HEAD are allowed"}`},
		{"faults are not replaced", "PUT", "/v1/faults", "", 405, "GET, HEAD, POST, DELETE are allowed"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			status, text := ask(t, e, tt.method, tt.path, tt.body)
			if status != tt.status || !strings.Contains(text, tt.want) {
				t.Errorf("%d %s, want %d %s", status, text, tt.status, tt.want)
			}
		})
	}
}

// TestSIMDirectory holds what the relay reads: exactly these names, null or RFC 3339 in since.
func TestSIMDirectory(t *testing.T) {
	e := start(t, Config{})
	var offline, online []map[string]any
	_, text := ask(t, e, "GET", "/v1/sims", "")
	if err := json.Unmarshal([]byte(text), &offline); err != nil {
		t.Fatal(err)
	}
	offline[0]["imei"] = "" // set once the modem has attached
	want := map[string]any{
		"simId": "8981100000000000002", "imsi": "440101234567890", "iccid": "8981100000000000002", "imei": "",
		"msisdn": "812000000000", "name": "modem0", "online": false, "ipAddress": "", "since": nil, "bytesUp": 0.0, "bytesDown": 0.0,
	}
	if diff := cmp.Diff(want, offline[0]); diff != "" {
		t.Errorf("offline (-want +got):\n%s", diff)
	}
	u := dialTone(t, e, 0)
	u.AT("ATD*99#")
	l := u.PPP(ppp.Config{User: "sora", Password: "sora"})
	l.Await()
	_, text = ask(t, e, "GET", "/v1/sims", "")
	if err := json.Unmarshal([]byte(text), &online); err != nil {
		t.Fatal(err)
	}
	since, _ := online[0]["since"].(string)
	if online[0]["online"] != true || online[0]["ipAddress"] != l.Conn.Params().Local.String() || since == "" {
		t.Errorf("online: %v", online[0])
	}
	l.Stop()
	l.End()
}

// TestDocumentHasEveryRoute compares the OpenAPI document with the code.
func TestDocumentHasEveryRoute(t *testing.T) {
	var doc struct {
		Paths map[string]map[string]any `yaml:"paths"`
	}
	if err := yaml.Unmarshal(openAPI, &doc); err != nil {
		t.Fatal(err)
	}
	served := map[string]bool{}
	for _, r := range new(Emulator).routes() {
		served[r.pattern] = true
	}
	for path, methods := range doc.Paths {
		for method := range methods {
			route := strings.ToUpper(method) + " " + path
			if method != "parameters" && !served[route] {
				t.Errorf("%s is documented and not served", route)
			}
			delete(served, route)
		}
	}
	for route := range served {
		t.Errorf("%s is served and not documented", route)
	}
}

// TestHostIsChecked: a name that a name server leads here is not enough.
func TestHostIsChecked(t *testing.T) {
	e := start(t, Config{})
	for host, want := range map[string]int{"localhost:1": 200, "127.0.0.1": 200, "[::1]:7070": 200, "rebound.example.com": 403} {
		req, err := http.NewRequestWithContext(t.Context(), "GET", "http://"+e.ControlAddr()+"/v1/health", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Host, req.Close = host, true
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("host %s: %s", host, resp.Status)
		}
	}
}

// TestWebPagesAreRefused holds for reading too, and for what browsers send with no Origin; this machine's own programs send neither.
func TestWebPagesAreRefused(t *testing.T) {
	e := start(t, Config{})
	for _, tt := range []struct {
		method, path, header, value string
		status                      int
	}{
		{"POST", "/v1/modems/0/reset", "Origin", "https://example.com", 403},
		{"GET", "/v1/modems", "Origin", "https://example.com", 403},
		{"GET", "/v1/modems", "Origin", "null", 403},
		{"GET", "/v1/faults", "Sec-Fetch-Site", "cross-site", 403},
		{"GET", "/v1/modems", "Origin", "http://" + e.ControlAddr(), 200},
		{"GET", "/v1/modems", "Sec-Fetch-Site", "none", 200}, // the address was typed
		{"GET", "/v1/modems", "Accept", "*/*", 200},
	} {
		req, err := http.NewRequestWithContext(t.Context(), tt.method, "http://"+e.ControlAddr()+tt.path, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Close = true
		req.Header.Set(tt.header, tt.value)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || resp.StatusCode != tt.status {
			t.Errorf("%s %s with %s %s: %s, %v", tt.method, tt.path, tt.header, tt.value, resp.Status, err)
		}
		if tt.status == http.StatusForbidden && !strings.Contains(string(text), `"code":"forbidden"`) {
			t.Errorf("refused with %s", text)
		}
	}
}

// TestAllow is the header that goes with a refused method.
func TestAllow(t *testing.T) {
	w := httptest.NewRecorder()
	new(Emulator).Routes().ServeHTTP(w, httptest.NewRequest("PATCH", "http://127.0.0.1/v1/sims/1/sms", nil))
	if got := w.Header().Get("Allow"); w.Code != http.StatusMethodNotAllowed || got != "GET, HEAD, POST" {
		t.Errorf("%d, allowed %q", w.Code, got)
	}
}
