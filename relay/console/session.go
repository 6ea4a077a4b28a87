package console

import (
	"bytes"
	"encoding/json"
	"io"
	"mime"
	"net/http"
	"strings"

	"minato/relay/relayapi"
)

// sessionCookie holds the API's two credentials, "apiKey.token", sealed. No script can read it, and no other site's request carries it.
const sessionCookie = "minato_session"

// sessionSeconds is how long a sign-in lasts: as long as the longest mapping.
const sessionSeconds = 28800

// maxSignIn is the longest body of a sign-in.
const maxSignIn = 4 << 10

// credentials are what a sign-in takes: an authentication key, or a user of the relay.
type credentials struct {
	AuthKeyID  string `json:"authKeyId,omitempty"`
	AuthKey    string `json:"authKey,omitempty"`
	OperatorID string `json:"operatorId,omitempty"`
	UserName   string `json:"userName,omitempty"`
	Password   string `json:"password,omitempty"`

	TokenTimeoutSeconds int `json:"tokenTimeoutSeconds"`
}

// signIn exchanges a key or a password for the API's credentials. The browser keeps them, sealed in the cookie; the page gets the key to them.
func (c *Console) signIn(w http.ResponseWriter, req *http.Request) {
	if !isJSON(req) {
		writeError(w, http.StatusUnsupportedMediaType, "the body must be application/json")
		return
	}
	var given credentials
	d := json.NewDecoder(http.MaxBytesReader(w, req.Body, maxSignIn))
	d.DisallowUnknownFields()
	if err := d.Decode(&given); err != nil {
		writeError(w, http.StatusBadRequest, "the body is not a sign-in")
		return
	}
	if given.UserName != "" {
		given.OperatorID = c.cfg.OperatorID
	}
	given.TokenTimeoutSeconds = sessionSeconds
	body, err := json.Marshal(given)
	if err != nil {
		writeError(w, http.StatusBadRequest, "the body is not a sign-in")
		return
	}
	auth := apiRequest(req, http.MethodPost, "/v1/auth", body)
	answer := newRecorder()
	c.cfg.API.ServeHTTP(answer, auth)
	if answer.status != http.StatusOK {
		answer.copyTo(w)
		return
	}
	var got relayapi.AuthResponse
	if err := json.Unmarshal(answer.body.Bytes(), &got); err != nil || got.APIKey == "" || strings.Contains(got.APIKey, ".") {
		c.log.Error("signing in to the console: the API's answer is not understood", "error", err)
		writeError(w, http.StatusInternalServerError, "the relay could not do it; its log says why")
		return
	}
	key, sealed, err := seal(got.APIKey + "." + got.Token)
	if err != nil {
		c.log.Error("signing in to the console", "error", err)
		writeError(w, http.StatusInternalServerError, "the relay could not do it; its log says why")
		return
	}
	http.SetCookie(w, cookie(req, sealed, sessionSeconds))
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(map[string]string{"key": key}) // an error means that the browser has gone
}

// signOut ends the token on every node, and takes the cookie back.
func (c *Console) signOut(w http.ResponseWriter, req *http.Request) {
	out := apiRequest(req, http.MethodPost, "/v1/auth/logout", nil)
	if withCredentials(out, req) {
		c.cfg.API.ServeHTTP(newRecorder(), out) // a token that is not good any more has nothing to end
	}
	http.SetCookie(w, cookie(req, "", -1))
	w.WriteHeader(http.StatusNoContent)
}

func cookie(req *http.Request, value string, seconds int) *http.Cookie {
	return &http.Cookie{
		Name: sessionCookie, Value: value, Path: "/console/", MaxAge: seconds,
		HttpOnly: true, SameSite: http.SameSiteStrictMode, Secure: req.TLS != nil,
	}
}

// withCredentials puts the session of req into the API's headers of a request; false: there is none, or only half of it.
func withCredentials(out, req *http.Request) bool {
	for _, h := range []string{relayapi.HeaderAPIKey, relayapi.HeaderToken, "Cookie", sessionKeyHeader, "Sec-WebSocket-Protocol"} {
		out.Header.Del(h)
	}
	key := sessionKey(req)
	for _, c := range req.CookiesNamed(sessionCookie) { // more than one where a device's page has set its own
		if secret, ok := unseal(key, c.Value); ok {
			apiKey, token, _ := strings.Cut(secret, ".")
			out.Header.Set(relayapi.HeaderAPIKey, apiKey)
			out.Header.Set(relayapi.HeaderToken, token)
			return true
		}
	}
	return false
}

// apiRequest is a call of the API in place of a browser's request: from the same address, in the same language.
func apiRequest(req *http.Request, method, path string, body []byte) *http.Request {
	out := req.Clone(req.Context())
	out.Method, out.URL.Path, out.URL.RawPath, out.URL.RawQuery, out.RequestURI = method, path, "", "", path
	out.Body, out.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	return out
}

func isJSON(req *http.Request) bool {
	kind, _, err := mime.ParseMediaType(req.Header.Get("Content-Type"))
	return err == nil && kind == "application/json"
}

// writeError answers in the API's form what the console itself does not take. Its own pages do not send such requests.
func writeError(w http.ResponseWriter, status int, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(relayapi.Error{Code: "MNT0001", Message: message}) // an error means that the browser has gone
}

// recorder keeps an answer of the API that the browser must not see as it is.
type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func newRecorder() *recorder { return &recorder{header: http.Header{}, status: http.StatusOK} }

func (r *recorder) Header() http.Header         { return r.header }
func (r *recorder) WriteHeader(status int)      { r.status = status }
func (r *recorder) Write(p []byte) (int, error) { return r.body.Write(p) }

func (r *recorder) copyTo(w http.ResponseWriter) {
	for _, h := range []string{"Content-Type", "Retry-After"} {
		if v := r.header.Get(h); v != "" {
			w.Header().Set(h, v)
		}
	}
	w.WriteHeader(r.status)
	w.Write(r.body.Bytes()) // an error means that the browser has gone
}
