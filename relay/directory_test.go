package relay

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var compareAddr = cmp.Comparer(func(a, b netip.Addr) bool { return a == b })

func TestEmulatorDirectory(t *testing.T) {
	var asked atomic.Int32
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		asked.Add(1)
		if req.URL.Path != "/v1/sims" {
			http.NotFound(w, req)
			return
		}
		w.Write([]byte(`[{"simId":"1","imsi":"2","iccid":"3","imei":"4","msisdn":"5","name":"6","online":true,"ipAddress":"10.128.0.2","since":"2026-01-02T03:04:05Z","later":1},
			{"simId":"7","online":false}]`))
	}))
	defer srv.Close()
	d := &EmulatorDirectory{URL: srv.URL + "/", HTTPClient: srv.Client()}
	want := []SIM{
		{ID: "1", IMSI: "2", ICCID: "3", IMEI: "4", MSISDN: "5", Name: "6", Online: true,
			Addr: netip.MustParseAddr("10.128.0.2"), Since: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)},
		{ID: "7"},
	}
	got, err := d.SIMs(t.Context())
	if diff := cmp.Diff(want, got, compareAddr); err != nil || diff != "" {
		t.Errorf("error %v, SIMs (-want +got):\n%s", err, diff)
	}
	before := asked.Load()
	if _, err := d.FreshSIMs(t.Context()); err != nil || asked.Load() != before+1 {
		t.Errorf("a fresh list did not ask: %v", err)
	}
	d.URL = srv.URL + "/elsewhere"
	if _, err := d.FreshSIMs(t.Context()); err == nil || !strings.Contains(err.Error(), "404") {
		t.Errorf("error %v, want 404", err)
	}
}

func TestEmulatorDirectoryBadAnswers(t *testing.T) {
	for _, tt := range []struct{ name, body, want string }{
		{"not JSON", "hello", "decoding"},
		{"no id", `[{"imsi":"1"}]`, "no simId"},
		{"bad address", `[{"simId":"1","ipAddress":"ten"}]`, `"ten"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := parseEmulatorSIMs([]byte(tt.body)); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want %q", err, tt.want)
			}
		})
	}
}

func TestFileDirectory(t *testing.T) {
	d := &FileDirectory{Path: filepath.Join(t.TempDir(), "sims.yaml")}
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(d.Path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("sims:\n  - simId: \"1\"\n    imsi: \"2\"\n    address: 10.128.0.2\n  - simId: \"3\"\n")
	want := []SIM{{ID: "1", IMSI: "2", Online: true, Addr: netip.MustParseAddr("10.128.0.2")}, {ID: "3"}}
	got, err := d.SIMs(t.Context())
	if diff := cmp.Diff(want, got, compareAddr); err != nil || diff != "" {
		t.Errorf("error %v, SIMs (-want +got):\n%s", err, diff)
	}
	write("sims:\n  - simId: another\n")
	if got, err = d.SIMs(t.Context()); err != nil || len(got) != 1 || got[0].ID != "another" {
		t.Errorf("after a change: %v, %v", got, err)
	}
	if s, err := d.FreshSIM(t.Context(), "another"); err != nil || s.ID != "another" {
		t.Errorf("one SIM: %+v, %v", s, err)
	}
	if _, err := d.FreshSIM(t.Context(), "1"); !errors.Is(err, ErrUnknownSIM) {
		t.Errorf("one SIM that is gone: %v, want %v", err, ErrUnknownSIM)
	}
	write("sims:\n  - simId: a third\n")
	if s, err := d.FreshSIM(t.Context(), "a third"); err != nil || s.ID != "a third" {
		t.Errorf("one SIM after a change: %+v, %v", s, err)
	}
	write("sims: [{simId: 007, imsi: 001010000000001, iccid: 8981100000000000001, msisdn: +812000000000, name: 1.10, tags: {line: 0123}}]\n")
	unquoted := SIM{ID: "007", IMSI: "001010000000001", ICCID: "8981100000000000001", MSISDN: "+812000000000", Name: "1.10", Tags: map[string]string{"line": "0123"}}
	if s, err := d.FreshSIM(t.Context(), "007"); err != nil {
		t.Errorf("one SIM without quotation marks: %v", err)
	} else if diff := cmp.Diff(unquoted, s, compareAddr); diff != "" {
		t.Errorf("one SIM without quotation marks (-want +got):\n%s", diff)
	}
	os.Remove(d.Path)
	if _, err := d.FreshSIM(t.Context(), "a third"); err == nil || errors.Is(err, ErrUnknownSIM) {
		t.Errorf("one SIM of a file that is gone: %v", err)
	}
	for _, tt := range []struct{ name, text, want string }{
		{"no id", "sims:\n  - imsi: \"1\"\n", "sims[0].simId is missing"},
		{"twice", "sims:\n  - simId: a\n  - simId: a\n", `sims[1].simId "a" stands twice`},
		{"same IMSI", "sims:\n  - {simId: a, imsi: \"1\"}\n  - {simId: b, imsi: \"1\"}\n", `sims[1].imsi "1" stands twice`},
		{"same address", "sims:\n  - {simId: a, address: 10.0.0.1}\n  - {simId: b}\n  - {simId: c, address: \"::ffff:10.0.0.1\"}\n", `sims[2].address "::ffff:10.0.0.1" stands twice`},
		{"bad address", "sims:\n  - {simId: a, address: ten}\n", `sims[0].address "ten"`},
		{"unknown key", "sims:\n  - {simId: a, adress: 10.0.0.1}\n", "adress"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			write(tt.text)
			if _, err := d.SIMs(t.Context()); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want %q", err, tt.want)
			}
		})
	}
}

func FuzzSIMFile(f *testing.F) {
	f.Add([]byte("sims:\n  - {simId: a, imsi: \"1\", address: 10.0.0.1}\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		sims, err := parseSIMFile(b)
		for _, s := range sims {
			if err != nil || s.ID == "" {
				t.Errorf("%+v, %v", s, err)
			}
		}
	})
}
