package console

import (
	"net/http"
	"strings"

	"rsc.io/qr"
)

// forward passes a call on to the API with the user's credentials: /console/api/sims is /v1/sims. Calls that answer with credentials are not
// for scripts.
func (c *Console) forward(w http.ResponseWriter, req *http.Request) {
	path := strings.TrimPrefix(req.URL.Path, "/console/api")
	if strings.HasPrefix(path, "/auth") || strings.HasPrefix(path, "/operators") || req.Method == http.MethodPost && path == "/keys" {
		writeError(w, http.StatusForbidden, "the console does not pass this call on")
		return
	}
	if req.ContentLength != 0 && !isJSON(req) {
		writeError(w, http.StatusUnsupportedMediaType, "the body must be application/json")
		return
	}
	out := req.Clone(req.Context())
	out.URL.Path, out.URL.RawPath = "/v1"+path, ""
	out.RequestURI = out.URL.RequestURI()
	withCredentials(out, req) // without any the API says 401
	c.cfg.API.ServeHTTP(w, out)
}

// maxQR is the longest text of a QR code: a link.
const maxQR = 512

// qr answers with a text as a QR code.
func (c *Console) qr(w http.ResponseWriter, req *http.Request) {
	text := req.URL.Query().Get("text")
	code, err := qr.Encode(text, qr.M)
	if text == "" || len(text) > maxQR || err != nil {
		writeError(w, http.StatusBadRequest, "a text of 1 to 512 bytes is needed")
		return
	}
	w.Header().Set("Content-Type", "image/svg+xml")
	w.Write([]byte(svg(code))) // an error means that the browser has gone
}
