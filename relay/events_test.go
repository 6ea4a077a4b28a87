package relay

import (
	"bufio"
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"minato/relay/relayapi"
)

func TestEvents(t *testing.T) {
	r := startRelay(t, Config{})
	auth, err := r.Auth(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), "GET", r.BaseURL+"/v1/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set(relayapi.HeaderAPIKey, auth.APIKey)
	req.Header.Set(relayapi.HeaderToken, auth.Token)
	resp, err := r.HTTPClient.Do(req)
	if err != nil || resp.StatusCode != 200 {
		t.Fatalf("%+v, %v", resp, err)
	}
	defer resp.Body.Close()
	lines := bufio.NewScanner(resp.Body)
	next := func(want string) {
		t.Helper()
		for lines.Scan() {
			if strings.HasPrefix(lines.Text(), want) {
				return
			}
		}
		t.Fatalf("no %q: %v", want, lines.Err())
	}
	next(": listening")
	m := r.mapping(false)
	next("event: CREATED")
	next(`data: {"operatorId":"OP0000000001"`)
	conn := r.opened(m)
	next("event: ACCESS")
	next("event: CONNECTED")
	conn.Close()
	next("event: CLOSED")
	r.stop() // ends the stream, and does not wait for it
	for lines.Scan() {
	}
}

// readDeadlines is an answer's writer that notes the deadline of the request's connection, and tells when the answer begins.
type readDeadlines struct {
	*httptest.ResponseRecorder
	last  time.Time
	began func()
}

func (w *readDeadlines) SetReadDeadline(t time.Time) error { w.last = t; return nil }

func (w *readDeadlines) Flush() { w.began() }

// What takes long must outlive the server's ReadTimeout, which ends the request's context even where nothing is left to be read.
func TestLongRequestsHaveNoReadDeadline(t *testing.T) {
	r := startRelay(t, Config{})
	m := r.mapping(false)
	auth, err := r.Auth(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ method, path string }{
		{http.MethodGet, "/v1/events"},
		{http.MethodPost, "/v1/port_mappings/127.0.0.1/" + endpointPort(m) + "/diagnose"},
	} {
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		req := httptest.NewRequestWithContext(ctx, tt.method, tt.path, strings.NewReader(""))
		req.Header.Set(relayapi.HeaderAPIKey, auth.APIKey)
		req.Header.Set(relayapi.HeaderToken, auth.Token)
		w := &readDeadlines{httptest.NewRecorder(), time.Now(), cancel}
		r.routes().ServeHTTP(w, req)
		if w.Code != http.StatusOK || !w.last.IsZero() {
			t.Errorf("%s %s: status %d, read deadline %v; want none", tt.method, tt.path, w.Code, w.last)
		}
	}
}
