package relay

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/netip"

	"minato/relay/relayapi"
)

// call is one request of the API with what its route found out.
type call struct {
	*http.Request
	caller netip.AddrPort
	claims claims // of an authenticated call
	header http.Header
}

// route is one line of the API.
type route struct {
	pattern string // method and path, as net/http's ServeMux takes them
	open    bool   // needs no credentials
	status  int    // of a good answer
	serve   func(r *Relay, c *call) (answer any, err error)
}

// apiRoutes is the whole API.
var apiRoutes = []route{
	{"POST /v1/auth", true, http.StatusOK, (*Relay).postAuth},
	{"POST /v1/auth/logout", false, http.StatusNoContent, (*Relay).postLogout},

	{"GET /v1/port_mappings", false, http.StatusOK, (*Relay).listPortMappings},
	{"POST /v1/port_mappings", false, http.StatusCreated, (*Relay).createPortMapping},
	{"DELETE /v1/port_mappings/{ip_address}/{port}", false, http.StatusNoContent, (*Relay).deletePortMapping},
	{"GET /v1/port_mappings/sims/{sim_id}", false, http.StatusOK, (*Relay).listPortMappingsForSIM},
	{"POST /v1/port_mappings/sims/{sim_id}", false, http.StatusCreated, (*Relay).createPortMappingForSIM},
	{"GET /v1/port_mappings/subscribers/{imsi}", false, http.StatusOK, (*Relay).listPortMappingsForSubscriber},

	{"GET /v1/sims", false, http.StatusOK, (*Relay).listSIMs},
	{"GET /v1/sims/{sim_id}", false, http.StatusOK, (*Relay).getSIM},

	{"GET /v1/audit_logs/napter", false, http.StatusOK, (*Relay).listAuditLogs},

	{"GET /v1/health", true, http.StatusOK, (*Relay).getHealth},
	{"GET /v1/ca.pem", true, http.StatusOK, (*Relay).getCA},
}

// pemAnswer is an answer that is not JSON.
type pemAnswer []byte

// routes makes the API's handler.
func (r *Relay) routes() http.Handler {
	mux := http.NewServeMux()
	for _, rt := range apiRoutes {
		mux.Handle(rt.pattern, r.handler(rt))
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, req *http.Request) { r.writeError(w, req, noRoute(mux, req)) })
	return mux
}

func (r *Relay) handler(rt route) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if !r.apiUse.TryRLock() {
			return // the server has been closed under this request
		}
		defer r.apiUse.RUnlock()
		c := &call{Request: req, header: w.Header()}
		if ap, err := netip.ParseAddrPort(req.RemoteAddr); err == nil {
			c.caller = netip.AddrPortFrom(ap.Addr().Unmap().WithZone(""), ap.Port())
		}
		if !rt.open {
			var err error
			if c.claims, err = r.authenticate(req); err != nil {
				r.writeError(w, req, err)
				return
			}
		}
		req.Body = http.MaxBytesReader(w, req.Body, maxBody)
		answer, err := rt.serve(r, c)
		if err != nil {
			r.writeError(w, req, err)
			return
		}
		switch answer := answer.(type) {
		case nil:
			w.WriteHeader(rt.status)
		case pemAnswer:
			w.Header().Set("Content-Type", "application/x-pem-file")
			w.Write(answer)
		default:
			r.writeJSON(w, rt.status, answer)
		}
	})
}

// noRoute is the answer where no route matches: ServeMux's own is not JSON, which Napter's command line needs.
func noRoute(mux *http.ServeMux, req *http.Request) *relayapi.Error {
	for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodDelete} {
		other := req.Clone(context.Background())
		other.Method = method
		if _, pattern := mux.Handler(other); pattern != "/" && method != req.Method {
			return apiErrorf(http.StatusMethodNotAllowed, codeMethod, "%s does not take %s, but %s", req.URL.Path, req.Method, method)
		}
	}
	return apiErrorf(http.StatusNotFound, codeNoPath, "no such path: %s", req.URL.Path)
}

func (r *Relay) writeError(w http.ResponseWriter, req *http.Request, err error) {
	var e *relayapi.Error
	if !errors.As(err, &e) {
		r.log.Error("answering the API", "method", req.Method, "path", req.URL.Path, "error", err)
		e = apiErrorf(http.StatusInternalServerError, codeInternal, "the relay could not do it; its log says why")
	}
	r.writeJSON(w, e.Status, e)
}

func (r *Relay) writeJSON(w http.ResponseWriter, status int, answer any) {
	b, err := json.Marshal(answer)
	if err != nil {
		r.log.Error("encoding an answer", "error", err)
		status, b = http.StatusInternalServerError, []byte(`{"code":"`+codeInternal+`","message":"the answer could not be encoded"}`)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	w.Write(b) // an error means that the client has gone
}

func (r *Relay) getHealth(*call) (any, error) { return relayapi.Health{Status: "ok"}, nil }

func (r *Relay) getCA(*call) (any, error) {
	if r.caPEM == nil {
		return nil, apiErrorf(http.StatusNotFound, codeNoPath, "this relay has no private CA: its certificates come from elsewhere")
	}
	return pemAnswer(r.caPEM), nil
}
