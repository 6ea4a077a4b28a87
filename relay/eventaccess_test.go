package relay

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"minato/relay/relayapi"
)

// stream is an open stream of events.
type stream struct {
	t     *testing.T
	lines *bufio.Scanner
}

// openEvents opens a stream with credentials; nil where the answer is not 200, which is given.
func (r *testRelay) openEvents(auth *relayapi.AuthResponse) (*stream, int) {
	r.t.Helper()
	req, err := http.NewRequestWithContext(r.t.Context(), http.MethodGet, r.BaseURL+"/v1/events", nil)
	if err != nil {
		r.t.Fatal(err)
	}
	req.Header.Set(relayapi.HeaderAPIKey, auth.APIKey)
	req.Header.Set(relayapi.HeaderToken, auth.Token)
	resp, err := r.HTTPClient.Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { resp.Body.Close() })
	if resp.StatusCode != http.StatusOK {
		return nil, resp.StatusCode
	}
	s := &stream{r.t, bufio.NewScanner(resp.Body)}
	s.next(": listening")
	return s, resp.StatusCode
}

// signIn gives credentials that live shortly.
func (r *testRelay) signIn() *relayapi.AuthResponse {
	r.t.Helper()
	auth, err := r.Auth(r.t.Context())
	if err != nil {
		r.t.Fatal(err)
	}
	status, answer, _ := r.request("POST", "/v1/operators/"+operatorID+"/token", fmt.Sprintf(`{"tokenTimeoutSeconds":%d}`, shortly), map[string]string{
		relayapi.HeaderAPIKey: auth.APIKey, relayapi.HeaderToken: auth.Token})
	if err := json.Unmarshal([]byte(answer), auth); status != http.StatusOK || err != nil {
		r.t.Fatalf("another token: %d %s", status, answer)
	}
	return auth
}

const shortly = 60 // seconds

// next reads on to a line that begins so, and gives it.
func (s *stream) next(prefix string) string {
	s.t.Helper()
	for s.lines.Scan() {
		if strings.HasPrefix(s.lines.Text(), prefix) {
			return s.lines.Text()
		}
	}
	s.t.Fatalf("no %q: %v", prefix, s.lines.Err())
	return ""
}

// guardClock tells when a guard has set its reminder.
type guardClock struct {
	*fakeClock
	set chan struct{}
}

func (c guardClock) AfterFunc(d time.Duration, f func()) func() bool {
	stop := c.fakeClock.AfterFunc(d, f)
	if d == guardInterval {
		c.set <- struct{}{}
	}
	return stop
}

// access is what an operator has of a relay whose clock is held.
type access struct {
	*testRelay // the admin's
	clock      guardClock
	operator   *testRelay
	auth       *relayapi.AuthResponse // the operator's
}

// newAccess makes an operator who is a user or a key.
func newAccess(t *testing.T, user bool) *access {
	t.Helper()
	clock := guardClock{newFakeClock(), make(chan struct{}, 10)}
	a := &access{testRelay: startRelay(t, Config{Clock: clock}), clock: clock}
	if user {
		a.operator = a.asUser(relayapi.CreateUserRequest{UserName: "operator", Role: RoleOperator})
	} else {
		a.operator = a.as(relayapi.CreateKeyRequest{Role: RoleOperator})
	}
	a.auth = a.operator.signIn()
	return a
}

// call is one of the admin's.
func (a *access) call(method, path, body string) {
	a.t.Helper()
	if status, answer, _ := a.request(method, path, body, nil); status/100 != 2 {
		a.t.Fatalf("%s %s: %d %s", method, path, status, answer)
	}
}

// ending is what takes an operator's access away.
type ending struct {
	name string
	user bool // the operator is a user, else a key
	end  func(a *access)
}

var endings = []ending{
	{"the key is revoked", false, func(a *access) { a.call("DELETE", "/v1/keys/"+a.operator.AuthKeyID, "") }},
	{"the caller signs out", false, func(a *access) {
		status, stop := a.send("POST", "/v1/auth/logout", a.auth)
		stop()
		if status != http.StatusNoContent {
			a.t.Fatal(status)
		}
	}},
	{"the token ends", false, func(a *access) { a.clock.Advance(shortly * time.Second) }},
	{"the user is removed", true, func(a *access) { a.call("DELETE", "/v1/users/operator", "") }},
	{"the user has another password", true, func(a *access) {
		a.call("POST", "/v1/users/operator/password", `{"newPassword":"battery staple"}`)
	}},
}

// A stream does not outlive the credentials that it was opened with.
func TestEventsEndWithTheCredentials(t *testing.T) {
	for _, tt := range endings {
		t.Run(tt.name, func(t *testing.T) {
			a := newAccess(t, tt.user)
			s, _ := a.openEvents(a.auth)
			a.clock.Advance(eventInterval)
			s.next(":") // looked at, and found well
			tt.end(a)
			a.clock.Advance(eventInterval)
			for s.lines.Scan() {
			}
			if err := s.lines.Err(); err != nil {
				t.Errorf("the stream ends with %v, want an orderly end", err)
			}
		})
	}
}

// retagged is a directory in which SIM A loses its tag to SIM B.
type retagged struct{ moved atomic.Bool }

func (d *retagged) SIMs(context.Context) ([]SIM, error) {
	sims := append([]SIM(nil), testSIMs...)
	i := 0
	if d.moved.Load() {
		i = 1
	}
	sims[i].Tags = map[string]string{"site": "osaka"}
	return sims, nil
}

// A stream tells of the SIMs that its reader may see now, not when it was opened.
func TestEventsFollowTheScope(t *testing.T) {
	for _, tt := range []struct {
		name  string
		scope relayapi.CreateUserRequest
		move  func(r *testRelay, d *retagged)
	}{
		{"the user has other SIMs", relayapi.CreateUserRequest{SIMIDs: []string{simA}}, func(r *testRelay, _ *retagged) {
			if status, answer, _ := r.request("PUT", "/v1/users/viewer", `{"role":"viewer","simIds":["`+simB+`"]}`, nil); status != http.StatusOK {
				r.t.Fatal(status, answer)
			}
		}},
		{"the tag is another SIM's", relayapi.CreateUserRequest{Tags: map[string]string{"site": "osaka"}}, func(_ *testRelay, d *retagged) {
			d.moved.Store(true)
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			clock, directory := newFakeClock(), &retagged{}
			r := startRelay(t, Config{Clock: clock, Directory: directory})
			tt.scope.UserName, tt.scope.Role = "viewer", RoleViewer
			s, _ := r.openEvents(r.asUser(tt.scope).signIn())
			create := func(sim string) {
				t.Helper()
				if _, err := r.CreatePortMapping(t.Context(), relayapi.CreatePortMappingRequest{Destination: relayapi.Destination{SIMID: sim, Port: 80}}); err != nil {
					t.Fatal(err)
				}
			}
			create(simB)
			create(simA)
			if got := s.next("data:"); !strings.Contains(got, simA) {
				t.Errorf("told of %s, want SIM A's", got)
			}
			tt.move(r, directory)
			clock.Advance(eventInterval)
			s.next(":")
			create(simA)
			create(simB)
			if got := s.next("data:"); !strings.Contains(got, simB) {
				t.Errorf("afterwards told of %s, want SIM B's", got)
			}
		})
	}
}

// One reader cannot take the streams of all others.
func TestEventStreamsOfOne(t *testing.T) {
	r := startRelay(t, Config{})
	viewer, other := r.as(relayapi.CreateKeyRequest{Role: RoleViewer}).signIn(), r.as(relayapi.CreateKeyRequest{Role: RoleViewer}).signIn()
	for i := range eventsEach {
		if _, status := r.openEvents(viewer); status != http.StatusOK {
			t.Fatalf("stream %d: %d", i, status)
		}
	}
	if _, status := r.openEvents(viewer); status != http.StatusTooManyRequests {
		t.Errorf("one more: %d, want 429", status)
	}
	if _, status := r.openEvents(other); status != http.StatusOK {
		t.Errorf("another's: %d", status)
	}
}
