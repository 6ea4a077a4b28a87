package emulator

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"minato/emulator/dce"
	"minato/emulator/fault"
)

//go:embed openapi.yaml
var openAPI []byte

// ErrFault is returned by Inject when the fault cannot happen as the modem stands.
var ErrFault = errors.New("the fault cannot be injected now")

// maxBody bounds a request.
const maxBody = 64 << 10

// Routes is the control API; openapi.yaml describes it.
func (e *Emulator) Routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/health", e.getHealth)
	mux.HandleFunc("GET /v1/openapi.yaml", getOpenAPI)
	mux.HandleFunc("GET /v1/modems", e.listModems)
	mux.HandleFunc("GET /v1/modems/{n}", e.withModem(e.getModem))
	mux.HandleFunc("POST /v1/modems/{n}/reset", e.withModem(e.resetModem))
	mux.HandleFunc("PUT /v1/modems/{n}/signal", e.withModem(e.setSignal))
	mux.HandleFunc("GET /v1/sims", e.listSIMs)
	mux.HandleFunc("GET /v1/sims/{id}", e.getSIM)
	mux.HandleFunc("GET /v1/sims/{id}/sms", e.withSIM(e.listMessages))
	mux.HandleFunc("POST /v1/sims/{id}/sms", e.withSIM(e.sendMessage))
	mux.HandleFunc("GET /v1/faults", e.listFaults)
	mux.HandleFunc("POST /v1/faults", e.injectFault)
	mux.HandleFunc("DELETE /v1/faults", e.clearFaults)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		fail(w, http.StatusNotFound, "not_found", "there is no %s %s", r.Method, r.URL.Path)
	})
	// The API has no passwords: a web page that the user happens to look at must not be able to use it.
	return http.NewCrossOriginProtection().Handler(mux)
}

// serveControl ends with ctx.
func (e *Emulator) serveControl(ctx context.Context) error {
	srv := &http.Server{Handler: e.Routes(), ReadHeaderTimeout: 10 * time.Second}
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
	m.SetSignal(s)
	w.WriteHeader(http.StatusNoContent)
}

// faultList is what can be injected and what is.
type faultList struct {
	Available []faultDoc    `json:"available"`
	Active    []ActiveFault `json:"active"`
}

type faultDoc struct {
	Name   string     `json:"name"`
	Doc    string     `json:"doc"`
	Params []paramDoc `json:"params"`
}

type paramDoc struct {
	Name    string `json:"name"`
	Doc     string `json:"doc"`
	Default string `json:"default"`
	Allowed string `json:"allowed"`
}

func (e *Emulator) listFaults(w http.ResponseWriter, _ *http.Request) {
	list := faultList{Available: []faultDoc{}, Active: []ActiveFault{}}
	for _, f := range fault.All {
		doc := faultDoc{Name: f.Name, Doc: f.Doc, Params: []paramDoc{}}
		for _, p := range f.Params {
			doc.Params = append(doc.Params, paramDoc{p.Name, p.Doc, p.Default, p.Allowed})
		}
		list.Available = append(list.Available, doc)
	}
	for _, m := range e.modems {
		list.Active = append(list.Active, m.Status().Faults...)
	}
	reply(w, http.StatusOK, list)
}

func (e *Emulator) injectFault(w http.ResponseWriter, r *http.Request) {
	var req struct {
		Name   string            `json:"name"`
		Modem  int               `json:"modem"`
		Params map[string]string `json:"params"`
	}
	if !decode(w, r, &req) {
		return
	}
	m := e.Modem(req.Modem)
	if m == nil {
		fail(w, http.StatusBadRequest, "bad_request", "modem %d: 0 to %d are there", req.Modem, len(e.modems)-1)
		return
	}
	switch err := m.Inject(req.Name, req.Params); {
	case errors.Is(err, ErrFault):
		fail(w, http.StatusConflict, "conflict", "%v", err)
	case err != nil:
		fail(w, http.StatusBadRequest, "bad_request", "%v", err)
	default:
		w.WriteHeader(http.StatusNoContent)
	}
}

func (e *Emulator) clearFaults(w http.ResponseWriter, _ *http.Request) {
	for _, m := range e.modems {
		m.Clear()
	}
	w.WriteHeader(http.StatusNoContent)
}
