package relayapi

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// serve answers with a handler, under which tokens count up: only the newest is good.
func serve(t *testing.T, handler http.HandlerFunc) *Client {
	t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/auth", func(w http.ResponseWriter, req *http.Request) {
		var body AuthRequest
		if json.NewDecoder(req.Body).Decode(&body) != nil || body.AuthKey != "secret-1" {
			w.WriteHeader(401)
			w.Write([]byte(`{"code":"X1","message":"wrong"}`))
			return
		}
		json.NewEncoder(w).Encode(AuthResponse{APIKey: "api-1", Token: "a.b.c", OperatorID: "OP1"})
	})
	mux.HandleFunc("/", handler)
	srv := httptest.NewServer(mux)
	client := srv.Client()
	t.Cleanup(func() { client.CloseIdleConnections(); srv.Close() })
	return &Client{BaseURL: srv.URL, HTTPClient: client, AuthKeyID: "keyId-1", AuthKey: "secret-1"}
}

func TestClientFollowsPages(t *testing.T) {
	c := serve(t, func(w http.ResponseWriter, req *http.Request) {
		if req.Header.Get(HeaderToken) != "a.b.c" || req.Header.Get(HeaderAPIKey) != "api-1" {
			t.Errorf("headers %v", req.Header)
		}
		switch req.URL.Query().Get("last_evaluated_key") {
		case "":
			w.Header().Set(HeaderNextKey, "1&2")
			w.Write([]byte(`[{"simId":"1"}]`))
		case "1&2":
			w.Write([]byte(`[{"simId":"2","laterField":true}]`))
		}
	})
	got, err := c.SIMs(t.Context())
	if diff := cmp.Diff([]SIM{{SIMID: "1"}, {SIMID: "2"}}, got); err != nil || diff != "" {
		t.Errorf("error %v, SIMs (-want +got):\n%s", err, diff)
	}
}

func TestClientAuthenticatesAgain(t *testing.T) {
	calls := 0
	c := serve(t, func(w http.ResponseWriter, req *http.Request) {
		if calls++; calls%2 == 0 {
			w.WriteHeader(401)
			return
		}
		w.Write([]byte(`[]`))
	})
	for range 3 { // the first is good, then each old token is refused once
		if _, err := c.ListPortMappings(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if calls != 5 {
		t.Errorf("%d calls, want 5", calls)
	}
}

func TestClientErrors(t *testing.T) {
	for _, tt := range []struct {
		name, body string
		status     int
		want       Error
	}{
		{"the API's", `{"code":"MNT0006","message":"none"}`, 404, Error{404, "MNT0006", "none"}},
		{"a proxy's", `<html>`, 502, Error{502, "HTTP502", "Bad Gateway"}},
		{"refused twice", ``, 401, Error{401, "HTTP401", "Unauthorized"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := serve(t, func(w http.ResponseWriter, req *http.Request) {
				w.WriteHeader(tt.status)
				w.Write([]byte(tt.body))
			})
			err := c.DeletePortMapping(t.Context(), "127.0.0.1", 1)
			var got *Error
			if !errors.As(err, &got) || *got != tt.want {
				t.Errorf("error %v, want %v", err, tt.want)
			}
		})
	}
	t.Run("wrong secret", func(t *testing.T) {
		c := serve(t, func(http.ResponseWriter, *http.Request) { t.Error("called without a token") })
		c.AuthKey = "secret-2"
		var got *Error
		if _, err := c.SIMs(t.Context()); !errors.As(err, &got) || got.Code != "X1" {
			t.Errorf("error %v, want X1", err)
		}
	})
	t.Run("not JSON", func(t *testing.T) {
		c := serve(t, func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("hello")) })
		if _, err := c.SIMs(t.Context()); err == nil {
			t.Error("no error")
		}
	})
}
