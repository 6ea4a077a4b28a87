package emulator

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"minato/emulator/dce"
)

//go:embed openapi.yaml
var openAPI []byte

// maxBody bounds a request.
const maxBody = 64 << 10

// route is one call of the API.
type route struct {
	pattern string
	serve   http.HandlerFunc
}

// routes is the whole API; openapi.yaml describes it.
func (e *Emulator) routes() []route {
	return []route{
		{"GET /v1/health", e.getHealth},
		{"GET /v1/openapi.yaml", getOpenAPI},
		{"GET /v1/modems", e.listModems},
		{"GET /v1/modems/{n}", e.withModem(e.getModem)},
		{"POST /v1/modems/{n}/reset", e.withModem(e.resetModem)},
		{"PUT /v1/modems/{n}/signal", e.withModem(e.setSignal)},
		{"PUT /v1/modems/{n}/ports/{port}", e.withModem(e.setLines)},
		{"GET /v1/sims", e.listSIMs},
		{"GET /v1/sims/{id}", e.getSIM},
		{"GET /v1/sims/{id}/shape", e.withSIM(e.getShape)},
		{"PUT /v1/sims/{id}/shape", e.withSIM(e.setShape)},
		{"GET /v1/sims/{id}/sms", e.withSIM(e.listMessages)},
		{"POST /v1/sims/{id}/sms", e.withSIM(e.sendMessage)},
		{"GET /v1/faults", e.listFaults},
		{"POST /v1/faults", e.injectFault},
		{"DELETE /v1/faults", e.clearFaults},
		{"GET /v1/events", e.streamEvents},
		{"GET /metrics", e.metricsHandler().ServeHTTP},
	}
}

// Routes serves the control API.
func (e *Emulator) Routes() http.Handler {
	mux := http.NewServeMux()
	for _, r := range e.routes() {
		mux.HandleFunc(r.pattern, r.serve)
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { notServed(w, r, mux) })
	return noWebPages(localHost(mux))
}

// notServed tells a wrong path from a wrong method (RFC 9110 sections 15.5.5 and 15.5.6).
func notServed(w http.ResponseWriter, r *http.Request, mux *http.ServeMux) {
	var allowed []string
	for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodDelete} {
		asked := *r
		asked.Method = method
		if _, pattern := mux.Handler(&asked); pattern != "/" {
			allowed = append(allowed, method)
		}
	}
	if len(allowed) == 0 {
		fail(w, http.StatusNotFound, "not_found", "there is no %s", r.URL.Path)
		return
	}
	list := strings.Join(allowed, ", ")
	w.Header().Set("Allow", list)
	fail(w, http.StatusMethodNotAllowed, "method_not_allowed", "there is no %s %s: %s are allowed", r.Method, r.URL.Path, list)
}

// noWebPages refuses what a page of another origin makes a browser ask for. The API has no passwords: a web page that the user happens
// to look at must not be able to use it. That holds for GET too, which Go takes for safe: pages could take all event streams.
func noWebPages(next http.Handler) http.Handler {
	protection := http.NewCrossOriginProtection()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked := *r
		asked.Method = http.MethodPost
		if err := protection.Check(&asked); err != nil {
			fail(w, http.StatusForbidden, "forbidden", "requests of web pages are refused: %v", err)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// localHost refuses requests for a name that only a name server says is this machine.
func localHost(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host := r.Host
		if h, _, err := net.SplitHostPort(host); err == nil {
			host = h
		}
		if _, err := netip.ParseAddr(strings.Trim(host, "[]")); err != nil && host != "localhost" && host != "" {
			fail(w, http.StatusForbidden, "forbidden", "host %q: use an address, or localhost", r.Host)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// serveControl ends with ctx.
func (e *Emulator) serveControl(ctx context.Context) error {
	srv := &http.Server{
		Handler: e.Routes(), ReadHeaderTimeout: 10 * time.Second, IdleTimeout: time.Minute,
		BaseContext: func(net.Listener) context.Context { return ctx }, // event streams end with the emulator
	}
	ended := make(chan error, 1)
	go func() { ended <- srv.Serve(e.control) }() // ends by Shutdown; waited for below
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	patience, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	if srv.Shutdown(patience) != nil {
		srv.Close()
	}
	<-ended
	return nil
}

// apiError is every refusal of the API.
type apiError struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

func fail(w http.ResponseWriter, status int, code, format string, args ...any) {
	reply(w, status, apiError{Code: code, Message: fmt.Sprintf(format, args...)})
}

func reply(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(body) // a client that is gone is no concern
}

// decode reads a JSON body strictly.
func decode(w http.ResponseWriter, r *http.Request, into any) bool {
	d := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody))
	d.DisallowUnknownFields()
	err := d.Decode(into)
	if err == nil {
		if _, more := d.Token(); more != io.EOF {
			err = errors.New("something follows the JSON object")
		}
	}
	if err != nil {
		fail(w, http.StatusBadRequest, "bad_request", "reading the request: %v", err)
		return false
	}
	return true
}

func (e *Emulator) getHealth(w http.ResponseWriter, _ *http.Request) {
	reply(w, http.StatusOK, map[string]any{"status": "ok", "modems": len(e.modems)})
}

func getOpenAPI(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/yaml")
	w.Write(openAPI)
}

// withModem finds the modem that the path names.
func (e *Emulator) withModem(do func(w http.ResponseWriter, r *http.Request, m *Modem)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		n, err := strconv.Atoi(r.PathValue("n"))
		m := e.Modem(n)
		if err != nil || m == nil {
			fail(w, http.StatusNotFound, "not_found", "there is no modem %q: 0 to %d are there", r.PathValue("n"), len(e.modems)-1)
			return
		}
		do(w, r, m)
	}
}

func (e *Emulator) listModems(w http.ResponseWriter, _ *http.Request) {
	list := make([]ModemStatus, len(e.modems))
	for i, m := range e.modems {
		list[i] = m.Status()
	}
	reply(w, http.StatusOK, list)
}

func (e *Emulator) getModem(w http.ResponseWriter, _ *http.Request, m *Modem) {
	reply(w, http.StatusOK, m.Status())
}

func (e *Emulator) resetModem(w http.ResponseWriter, _ *http.Request, m *Modem) {
	m.Reset()
	w.WriteHeader(http.StatusNoContent)
}

func (e *Emulator) setSignal(w http.ResponseWriter, r *http.Request, m *Modem) {
	s := dce.DefaultSignal
	if !decode(w, r, &s) {
		return
	}
	if err := s.Validate(); err != nil {
		fail(w, http.StatusBadRequest, "bad_request", "%v", err)
		return
	}
	m.SetSignal(s)
	w.WriteHeader(http.StatusNoContent)
}

// setLines moves the circuits of a port.
func (e *Emulator) setLines(w http.ResponseWriter, r *http.Request, m *Modem) {
	var c dce.LineChange
	if !decode(w, r, &c) {
		return
	}
	switch err := m.SetLines(r.PathValue("port"), c); {
	case errors.Is(err, dce.ErrNoPort):
		fail(w, http.StatusNotFound, "not_found", "%v", err)
	case errors.Is(err, dce.ErrNumber):
		fail(w, http.StatusBadRequest, "bad_request", "%v", err)
	case err != nil:
		fail(w, http.StatusConflict, "conflict", "%v", err)
	default:
		w.WriteHeader(http.StatusNoContent)
	}
}
