package relay

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"minato/relay/relayapi"
)

// expectStatus checks that a call was refused with a status.
func expectStatus(t *testing.T, what string, err error, want int) {
	t.Helper()
	if e := (*relayapi.Error)(nil); !errors.As(err, &e) || e.Status != want {
		t.Errorf("%s: %v, want status %d", what, err, want)
	}
}

// A user's life: made, signed in, another role, another password, removed. Tokens follow at once.
func TestUsers(t *testing.T) {
	r := startRelay(t, Config{})
	u := r.asUser(relayapi.CreateUserRequest{UserName: "hanako@example.com", Role: RoleViewer, SIMIDs: []string{simA}})
	auth, err := u.Auth(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if auth.UserName != "hanako@example.com" || auth.OperatorID != operatorID {
		t.Errorf("signed in as %+v", auth)
	}
	as := func(method, path, body string, a *relayapi.AuthResponse) int {
		t.Helper()
		status, _, _ := r.request(method, path, body, map[string]string{relayapi.HeaderAPIKey: a.APIKey, relayapi.HeaderToken: a.Token})
		return status
	}
	if me, err := u.Me(t.Context()); err != nil || me.UserName != "hanako@example.com" || me.Role != RoleViewer || len(me.SIMIDs) != 1 || me.AuthKeyID != "" {
		t.Errorf("me: %+v, %v", me, err)
	}
	if me, err := r.Me(t.Context()); err != nil || me.AuthKeyID != r.AuthKeyID || me.Role != RoleAdmin || me.UserName != "" {
		t.Errorf("the admin key's me: %+v, %v", me, err)
	}
	const path = "/v1/users/hanako@example.com"
	_, err = r.CreateUser(t.Context(), relayapi.CreateUserRequest{UserName: "hanako@example.com", Password: "correct horse", Role: RoleAdmin})
	expectStatus(t, "the name again", err, http.StatusConflict)
	if got := as("POST", "/v1/port_mappings", `{"destination":{"simId":"`+simA+`","port":80}}`, auth); got != 403 {
		t.Errorf("a viewer's create: %d", got)
	}
	if status, body, _ := r.request("PUT", path, `{"role":"operator"}`, nil); status != 200 || !strings.Contains(body, `"operator"`) || strings.Contains(body, simA) {
		t.Errorf("another role: %d %s", status, body)
	}
	if got := as("POST", "/v1/port_mappings", `{"destination":{"simId":"`+simA+`","port":80}}`, auth); got != 201 {
		t.Errorf("an operator's create with the same token: %d", got)
	}
	for _, tt := range []struct {
		body string
		want int
	}{
		{`{"newPassword":"battery staple"}`, 403},
		{`{"currentPassword":"wrong horse","newPassword":"battery staple"}`, 403},
		{`{"currentPassword":"correct horse","newPassword":"short"}`, 400},
		{`{"currentPassword":"correct horse","newPassword":"battery staple"}`, 204},
		{`{"currentPassword":"battery staple","newPassword":"battery staple"}`, 401}, // the token has ended with the password
	} {
		if got := as("POST", path+"/password", tt.body, auth); got != tt.want {
			t.Errorf("%s: %d, want %d", tt.body, got, tt.want)
		}
	}
	_, err = u.Auth(t.Context())
	expectStatus(t, "the old password", err, http.StatusUnauthorized)
	u.Password = "battery staple"
	if auth, err = u.Auth(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := as("POST", "/v1/users/nobody/password", `{"newPassword":"battery staple"}`, auth); got != 404 {
		t.Errorf("another's password: %d", got)
	}
	if status, body, _ := r.request("GET", "/v1/users", "", nil); status != 200 || strings.Contains(body, "argon2") || strings.Count(body, "userName") != 1 {
		t.Errorf("users: %d %s", status, body)
	}
	if status, _, _ := r.request("DELETE", path, "", nil); status != 204 {
		t.Errorf("delete: %d", status)
	}
	if got := as("GET", "/v1/sims", "", auth); got != 401 {
		t.Errorf("a removed user's token: %d", got)
	}
	if status, _, _ := r.request("DELETE", path, "", nil); status != 404 {
		t.Errorf("delete again: %d", status)
	}
}

func TestUserSignInRefusals(t *testing.T) {
	clock := newFakeClock()
	r := startRelay(t, Config{Clock: clock})
	r.asUser(relayapi.CreateUserRequest{UserName: "taro", Role: RoleViewer})
	try := func(body string) (int, string) {
		status, answer, _ := r.request("POST", "/v1/auth", body, nil)
		return status, answer
	}
	const good = `{"operatorId":"` + operatorID + `","userName":"taro","password":"correct horse"}`
	_, wrong := try(strings.Replace(good, "correct", "wrong", 1))
	for _, tt := range []struct{ name, body string }{
		{"wrong password", strings.Replace(good, "correct", "wrong", 1)},
		{"no such user", strings.Replace(good, "taro", "jiro", 1)},
		{"another operator", strings.Replace(good, operatorID, "OP0000000002", 1)},
	} {
		if status, answer := try(tt.body); status != 401 || answer != wrong {
			t.Errorf("%s: %d %s", tt.name, status, answer)
		}
	}
	for range 2 * passwordTries { // signing in is not guessing
		if status, answer := try(good); status != 200 {
			t.Fatalf("%d %s", status, answer)
		}
	}
	status := 401
	for range passwordTries {
		if status, _ = try(strings.Replace(good, "correct", "wrong", 1)); status != 401 {
			break
		}
	}
	if status != 429 {
		t.Errorf("after %d wrong passwords: %d", passwordTries, status)
	}
	if status, _ := try(good); status != 429 {
		t.Errorf("the right password while locked: %d", status)
	}
	clock.Advance(passwordInterval + time.Second)
	if status, answer := try(good); status != 200 {
		t.Errorf("a while later: %d %s", status, answer)
	}
	for _, body := range []string{
		`{"userName":"../x","password":"12345678","role":"viewer"}`,
		`{"userName":"","password":"12345678","role":"viewer"}`,
		`{"userName":"x","password":"1234567","role":"viewer"}`,
		`{"userName":"x","password":"12345678","role":"root"}`,
	} {
		if status, answer, _ := r.request("POST", "/v1/users", body, nil); status != 400 || strings.Contains(answer, "1234567") {
			t.Errorf("%s: %d %s", body, status, answer)
		}
	}
}

func TestPasswordHash(t *testing.T) {
	hash := hashPassword("p")
	if !checkPassword(hash, "p") || checkPassword(hash, "q") || hash == hashPassword("p") {
		t.Error(hash)
	}
	// Made by the reference implementation: printf password | argon2 somesalt -id -t 2 -k 19456 -p 1 -l 32 -e
	const theirs = "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHQ$PL01amPyeUuxG7H0vIr5X+qHkZvWnHmGBGXFYvh8z2E"
	if !checkPassword(theirs, "password") {
		t.Error("the reference implementation's hash does not fit")
	}
	for _, bad := range []string{"", "$argon2id$v=19$m=1,t=1,p=1$$", "$argon2id$v=18$m=19456,t=2,p=1$AAAA$AAAA", "x$x$x$x$x$x"} {
		if checkPassword(bad, "p") {
			t.Errorf("%q fits", bad)
		}
	}
}

// The error log is the audit log's entries with a cause, in SORACOM's form.
func TestErrorLogs(t *testing.T) {
	r := startRelay(t, Config{})
	conn := r.dial(r.mapping(true))
	conn.Write([]byte("SSH-2.0-x\r\n"))
	expectEOF(t, conn)
	conn.Close()
	r.awaitAuditOf(conn)
	_, body, _ := r.request("GET", "/v1/logs?resource_type=Subscriber&resource_id="+imsiA+"&service=Napter", "", map[string]string{headerLang: "ja"})
	if strings.Count(body, `"service":"Napter"`) != 1 || !strings.Contains(body, `"logLevel":"warning"`) || !strings.Contains(body, CauseSSHOnTLS.Text("ja")) {
		t.Errorf("%s", body)
	}
	if _, body, _ := r.request("GET", "/v1/logs?service=Air", "", nil); body != "[]" {
		t.Errorf("another service: %s", body)
	}
}
