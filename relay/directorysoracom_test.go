package relay

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// soracomFake is SORACOM's API as its published definition has it (version 20260604): auth, and SIMs in pages of at most 100.
type soracomFake struct {
	mu      sync.Mutex
	sims    []string // JSON of each
	token   string   // the one that is good
	issued  int
	calls   map[string]int // by path
	failing int            // status of every answer but 0
}

const soracomSecret = "secret-4f1Q"

func (f *soracomFake) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls[req.URL.Path]++
	w.Header().Set("Content-Type", "application/json")
	refuse := func(status int, code string) {
		w.WriteHeader(status)
		fmt.Fprintf(w, `{"code":%q,"message":"refused"}`, code)
	}
	if f.failing != 0 {
		refuse(f.failing, "COM0001")
		return
	}
	if req.URL.Path == "/v1/auth" && req.Method == http.MethodPost {
		var key struct{ AuthKeyID, AuthKey string }
		if json.NewDecoder(req.Body).Decode(&key) != nil || key.AuthKeyID != "keyId-demo" || key.AuthKey != soracomSecret {
			refuse(http.StatusUnauthorized, "AUM0006")
			return
		}
		f.issued++
		f.token = "token-" + strconv.Itoa(f.issued)
		fmt.Fprintf(w, `{"apiKey":"api-1","operatorId":"OP0012345678","token":%q,"userName":null}`, f.token)
		return
	}
	if req.Header.Get("X-Soracom-API-Key") != "api-1" || req.Header.Get("X-Soracom-Token") != f.token || f.token == "" {
		refuse(http.StatusUnauthorized, "AUM0004")
		return
	}
	if id, one := strings.CutPrefix(req.URL.Path, "/v1/sims/"); one {
		for _, s := range f.sims {
			if strings.Contains(s, `"simId":"`+id+`"`) {
				w.Write([]byte(s))
				return
			}
		}
		refuse(http.StatusNotFound, "SIM0001")
		return
	}
	const most = 100
	from, _ := strconv.Atoi(req.URL.Query().Get("last_evaluated_key"))
	to := min(from+most, len(f.sims))
	if to < len(f.sims) {
		w.Header().Set("X-Soracom-Next-Key", strconv.Itoa(to))
	}
	fmt.Fprintf(w, "[%s]", strings.Join(f.sims[from:to], ","))
}

// simJSON is a SIM with the fields and nulls of section Sim of the definition.
func simJSON(n int, session string) string {
	return fmt.Sprintf(`{"simId":"89811000000%08d","operatorId":"OP0012345678","status":"active","type":"uicc","moduleType":"nano","speedClass":"s1.fast","groupId":null,
		"tags":{"name":"pump %d","site":"osaka"},"activeProfileId":"89811000000%08d",
		"profiles":{"89811000000%08d":{"iccid":"89811000000%08d","primaryImsi":"4401000000%05d","otaSupported":false,
			"subscribers":{"4401000000%05d":{"imsi":"4401000000%05d","msisdn":"8190000%05d","status":"active","subscription":"plan-D","bundles":null,"capabilities":{"data":true,"sms":true}}}}},
		"sessionStatus":%s,"previousSession":null,"imeiLock":null,"localInfo":null,"createdTime":1600000000000,"lastModifiedTime":1600000000000,"expiryTime":null,
		"lastPortMappingCreatedTime":null,"terminationEnabled":false}`, n, n, n, n, n, n, n, n, n, session)
}

const soracomOnline = `{"online":true,"imsi":"440100000000001","imei":"860000012345678","ueIpAddress":"10.128.0.1","dnsServers":["100.127.0.53"],"sessionId":"s","subscription":"plan-D",
	"lastUpdatedAt":1764000000000,"vpgId":null,"placement":null,"cell":{"radioType":"LTE","mcc":440,"mnc":10,"tac":1,"eci":2},"location":null}`

// soracom starts the fake with n SIMs, of which the second is online, and a directory for it.
func soracom(t *testing.T, n int) (*soracomFake, *SoracomDirectory) {
	t.Helper()
	f := &soracomFake{calls: map[string]int{}}
	for i := range n {
		session := `{"online":false,"imsi":null,"imei":null,"ueIpAddress":null,"lastUpdatedAt":1763000000000}`
		if i == 1 {
			session = soracomOnline
		}
		f.sims = append(f.sims, simJSON(i, session))
	}
	srv := httptest.NewServer(f)
	t.Cleanup(srv.Close)
	file := filepath.Join(t.TempDir(), "default.json")
	if err := os.WriteFile(file, []byte(`{"sandbox":false,"coverageType":"jp","authKeyId":"keyId-demo","authKey":"`+soracomSecret+`","headers":{}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	d, err := NewSoracomDirectory(srv.URL, file)
	if err != nil {
		t.Fatal(err)
	}
	d.Client.HTTPClient = srv.Client()
	return f, d
}

func TestSoracomDirectory(t *testing.T) {
	f, d := soracom(t, 250)
	sims, err := d.SIMs(t.Context())
	if err != nil || len(sims) != 250 {
		t.Fatalf("%d SIMs, %v", len(sims), err)
	}
	ids := map[string]bool{}
	for _, s := range sims {
		ids[s.ID] = true
	}
	if len(ids) != 250 || f.calls["/v1/sims"] != 3 || f.calls["/v1/auth"] != 1 {
		t.Errorf("%d different SIMs with %v", len(ids), f.calls)
	}
	s := sims[1]
	if s.ID != "8981100000000000001" || s.IMSI != "440100000000001" || s.ICCID != "8981100000000000001" || s.IMEI != "860000012345678" || s.MSISDN != "819000000001" ||
		s.Name != "pump 1" || s.Tags["site"] != "osaka" || s.Tags["name"] != "" || !s.Online || s.Addr != netip.MustParseAddr("10.128.0.1") || s.Since.UnixMilli() != 1764000000000 {
		t.Errorf("SIM %+v", s)
	}
	if s := sims[0]; s.Online || s.Addr.IsValid() || s.IMSI != "440100000000000" {
		t.Errorf("offline SIM %+v", s)
	}
	// A route dials what one SIM is now, not what the list says.
	f.mu.Lock()
	f.sims[0], f.sims[1] = simJSON(0, strings.ReplaceAll(soracomOnline, "10.128.0.1", "127.0.0.2")), simJSON(1, `{"online":false}`)
	f.mu.Unlock()
	n := &RouteNetwork{Directory: d}
	if a, err := n.address(t.Context(), "8981100000000000000"); err != nil || a.String() != "127.0.0.2" {
		t.Errorf("address %v, %v", a, err)
	}
	if _, err := n.address(t.Context(), "8981100000000000001"); !errors.Is(err, ErrOffline) {
		t.Errorf("a SIM that went offline: %v", err)
	}
	if _, err := n.address(t.Context(), "8981100000000009999"); !errors.Is(err, ErrUnknownSIM) {
		t.Errorf("no SIM: %v", err)
	}
	if f.calls["/v1/sims"] != 3 {
		t.Errorf("the list was asked for again: %v", f.calls)
	}
}

// The token's end does not show, failures are waited out with the list that there was, and end in an error that says which.
func TestSoracomDirectoryErrors(t *testing.T) {
	f, d := soracom(t, 3)
	clock := newFakeClock()
	d.Now = clock.Now
	if _, err := d.SIMs(t.Context()); err != nil {
		t.Fatal(err)
	}
	set := func(change func()) { f.mu.Lock(); defer f.mu.Unlock(); change() }
	set(func() { f.token = "another" })
	clock.Advance(31 * time.Second)
	if sims, err := d.SIMs(t.Context()); err != nil || len(sims) != 3 || f.issued != 2 {
		t.Errorf("after the token's end: %d SIMs, %v, %d tokens", len(sims), err, f.issued)
	}
	for _, status := range []int{429, 500, 503} {
		set(func() { f.failing = status })
		clock.Advance(31 * time.Second)
		before := f.calls["/v1/sims"]
		for range 5 {
			if sims, err := d.SIMs(t.Context()); err != nil || len(sims) != 3 {
				t.Errorf("%d: %d SIMs, %v", status, len(sims), err)
			}
		}
		if n := f.calls["/v1/sims"] - before; n != 1 {
			t.Errorf("%d: asked %d times in a moment", status, n)
		}
	}
	clock.Advance(soracomStale)
	if _, err := d.SIMs(t.Context()); err == nil || !strings.Contains(err.Error(), "COM0001") {
		t.Errorf("with an old list: %v", err)
	}
	set(func() { f.failing = 0 })
	clock.Advance(soracomPause)
	if _, err := d.SIMs(t.Context()); err != nil {
		t.Errorf("when the API is back: %v", err)
	}
	set(func() { f.token, f.failing = "", 0 })
	d.Client.AuthKey = "wrong"
	clock.Advance(time.Hour)
	if _, err := d.SIMs(t.Context()); err == nil || !strings.Contains(err.Error(), "AUM0006") || strings.Contains(err.Error(), "wrong") {
		t.Errorf("with a wrong key: %v", err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	clock.Advance(time.Hour)
	if _, err := d.SIMs(ended); err == nil {
		t.Error("a caller who has gone got an answer")
	}
}

func TestSoracomKeyFile(t *testing.T) {
	dir := t.TempDir()
	for name, tt := range map[string]struct {
		text string
		mode os.FileMode
		want string
	}{
		"open":   {`{"authKeyId":"a","authKey":"` + soracomSecret + `"}`, 0o644, "chmod 600"},
		"broken": {`{"authKeyId":"a","authKey":"` + soracomSecret, 0o600, "is not JSON"},
		"empty":  {`{"authKeyId":"a"}`, 0o600, "authKey"},
	} {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(tt.text), tt.mode); err != nil {
			t.Fatal(err)
		}
		if _, err := NewSoracomDirectory("", file); err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), soracomSecret) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := NewSoracomDirectory("", filepath.Join(dir, "none")); err == nil {
		t.Error("no file, and no error")
	}
	file := filepath.Join(dir, "good")
	os.WriteFile(file, []byte(`{"authKeyId":"a","authKey":"b"}`), 0o600)
	if d, err := NewSoracomDirectory("", file); err != nil || d.Client.BaseURL != "https://api.soracom.io" {
		t.Errorf("%+v, %v", d, err)
	}
}
