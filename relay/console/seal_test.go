package console

import (
	"encoding/base64"
	"net/http"
	"strings"
	"testing"
)

func TestSeal(t *testing.T) {
	key, sealed, err := seal("api-1.a.b.c")
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(sealed, "api-1") {
		t.Errorf("sealed is %q", sealed)
	}
	other, again, err := seal("api-1.a.b.c")
	if err != nil || other == key || again == sealed {
		t.Errorf("two sessions have the key %q and %q, sealed %q and %q, %v", key, other, sealed, again, err)
	}
	b, err := base64.RawURLEncoding.DecodeString(sealed)
	if err != nil {
		t.Fatal(err)
	}
	b[len(b)-1] ^= 1
	for _, tt := range []struct{ name, key, sealed, want string }{
		{"both", key, sealed, "api-1.a.b.c"},
		{"no key", "", sealed, ""},
		{"nothing sealed", key, "", ""},
		{"a key of another session", other, sealed, ""},
		{"a key too short", key[:22], sealed, ""},
		{"a key in another alphabet", "+" + key[1:], sealed, ""},
		{"changed on its way", key, base64.RawURLEncoding.EncodeToString(b), ""},
		{"as it was before it was sealed", key, "api-1.a.b.c", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got, ok := unseal(tt.key, tt.sealed); got != tt.want || ok != (tt.want != "") {
				t.Errorf("got %q, %v, want %q", got, ok, tt.want)
			}
		})
	}
}

// What a browser has of a session before sessions were sealed, or of a device that has set the cookie itself, is nobody's session; and it does not keep
// anybody from signing in.
func TestOtherCookies(t *testing.T) {
	s := serve(t, nil)
	for _, path := range []string{"/console/", "/console/api/"} {
		req, err := http.NewRequest("GET", s.URL+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		s.Jar.SetCookies(req.URL, []*http.Cookie{{Name: sessionCookie, Value: "api-1.a.b.c", Path: path}})
	}
	if status, body, _ := s.do("GET", "/console/", ""); status != 200 || !strings.Contains(body, "<html") {
		t.Errorf("the first page: %d %.100q", status, body)
	}
	if _, body, _ := s.do("GET", "/console/api/me", ""); strings.Contains(body, "a.b.c") {
		t.Errorf("the API is asked with them: %s", body)
	}
	s.signIn()
	if _, body, _ := s.do("GET", "/console/api/me", ""); !strings.Contains(body, "a.b.c") {
		t.Errorf("after signing in the API is asked without credentials: %s", body)
	}
}
