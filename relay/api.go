package relay

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/netip"
	"strings"

	"minato/relay/relayapi"
)

// call is one request of the API with what its route found out.
type call struct {
	*http.Request
	caller netip.AddrPort
	claims claims    // of an authenticated call
	who    principal // that it was authenticated as
	header http.Header
	writer http.ResponseWriter // for answers that are streams
}

// lang is the language that the caller asked for.
func (c *call) lang() string { return language(c.Request) }

// scope is what the caller sees of the world.
func (c *call) scope() scope { return c.who.scope }

// route is one line of the API.
type route struct {
	pattern string // method and path, as net/http's ServeMux takes them
	role    string // least role that may; "": needs no credentials
	status  int    // of a good answer
	serve   func(r *Relay, c *call) (answer any, err error)
}

// apiRoutes is the whole API: who may call what. relay/openapi.yaml says what each takes and answers.
var apiRoutes = []route{
	{"POST /v1/auth", "", http.StatusOK, (*Relay).postAuth},
	{"POST /v1/auth/logout", RoleViewer, http.StatusNoContent, (*Relay).postLogout},
	{"POST /v1/operators/{operator_id}/token", RoleViewer, http.StatusOK, (*Relay).postToken},

	{"GET /v1/port_mappings", RoleViewer, http.StatusOK, (*Relay).listPortMappings},
	{"POST /v1/port_mappings", RoleOperator, http.StatusCreated, (*Relay).createPortMapping},
	{"DELETE /v1/port_mappings/{ip_address}/{port}", RoleOperator, http.StatusNoContent, (*Relay).deletePortMapping},
	{"GET /v1/port_mappings/sims/{sim_id}", RoleViewer, http.StatusOK, (*Relay).listPortMappingsForSIM},
	{"POST /v1/port_mappings/sims/{sim_id}", RoleOperator, http.StatusCreated, (*Relay).createPortMappingForSIM},
	{"GET /v1/port_mappings/subscribers/{imsi}", RoleViewer, http.StatusOK, (*Relay).listPortMappingsForSubscriber},

	{"POST /v1/port_mappings/{ip_address}/{port}/extend", RoleOperator, http.StatusOK, (*Relay).extendPortMapping},
	{"POST /v1/port_mappings/{ip_address}/{port}/diagnose", RoleOperator, http.StatusOK, (*Relay).diagnosePortMapping},

	{"GET /v1/connections", RoleViewer, http.StatusOK, (*Relay).listConnections},
	{"DELETE /v1/connections/{connection_id}", RoleOperator, http.StatusNoContent, (*Relay).cutConnection},
	{"GET /v1/events", RoleViewer, http.StatusOK, (*Relay).streamEvents},

	{"GET /v1/sims", RoleViewer, http.StatusOK, (*Relay).listSIMs},
	{"GET /v1/sims/{sim_id}", RoleViewer, http.StatusOK, (*Relay).getSIM},
	{"GET /v1/sims/{sim_id}/events/sessions", RoleViewer, http.StatusOK, (*Relay).listSessionEvents},
	{"GET /v1/sims/{sim_id}/agent", RoleViewer, http.StatusOK, (*Relay).getAgentStatus},
	{"GET /v1/subscribers", RoleViewer, http.StatusOK, (*Relay).listSubscribers},
	{"GET /v1/subscribers/{imsi}", RoleViewer, http.StatusOK, (*Relay).getSubscriber},

	{"GET /v1/audit_logs/napter", RoleViewer, http.StatusOK, (*Relay).listAuditLogs},
	{"GET /v1/audit_logs/connections", RoleViewer, http.StatusOK, (*Relay).listConnectionLogs},
	{"GET /v1/audit_logs/api", RoleAdmin, http.StatusOK, (*Relay).listAPIAuditLogs},
	{"GET /v1/logs", RoleViewer, http.StatusOK, (*Relay).listErrorLogs},
	{"GET /v1/stats/napter/audit_logs", RoleViewer, http.StatusOK, (*Relay).getAuditLogStats},

	{"GET /v1/stats/connections", RoleViewer, http.StatusOK, (*Relay).getConnectionStats},

	{"GET /v1/me", RoleViewer, http.StatusOK, (*Relay).getMe},
	{"GET /v1/users", RoleAdmin, http.StatusOK, (*Relay).listUsers},
	{"POST /v1/users", RoleAdmin, http.StatusCreated, (*Relay).createUser},
	{"PUT /v1/users/{user_name}", RoleAdmin, http.StatusOK, (*Relay).updateUser},
	{"DELETE /v1/users/{user_name}", RoleAdmin, http.StatusNoContent, (*Relay).deleteUser},
	{"POST /v1/users/{user_name}/password", RoleViewer, http.StatusNoContent, (*Relay).setPassword},

	{"GET /v1/keys", RoleAdmin, http.StatusOK, (*Relay).listKeys},
	{"POST /v1/keys", RoleAdmin, http.StatusCreated, (*Relay).createKeyCall},
	{"DELETE /v1/keys/{auth_key_id}", RoleAdmin, http.StatusNoContent, (*Relay).revokeKey},

	{"GET /v1/health", "", http.StatusOK, (*Relay).getHealth},
	{"GET /v1/version", "", http.StatusOK, (*Relay).getVersion},
	{"GET /v1/openapi.yaml", "", http.StatusOK, (*Relay).getOpenAPI},
	{"GET /v1/ca.pem", "", http.StatusOK, (*Relay).getCA},
}

// rawAnswer is an answer that is not JSON.
type rawAnswer struct {
	contentType string
	body        []byte
}

// streamed is the answer of a route that has written its own.
type streamed struct{}

// routes makes the handler of the API's address: the console, and everything else the API.
func (r *Relay) routes() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/console/", r.whileServing(r.console))
	mux.Handle("GET /{$}", http.RedirectHandler("/console/", http.StatusSeeOther))
	mux.Handle("/", r.apiHandler())
	return mux
}

// apiHandler makes the API's handler.
func (r *Relay) apiHandler() http.Handler {
	mux := http.NewServeMux()
	for _, rt := range apiRoutes {
		mux.Handle(rt.pattern, r.handler(rt))
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, req *http.Request) { r.writeError(w, req, noRoute(mux, req, w.Header())) })
	return mux
}

// whileServing lets a handler serve until the relay ends, which waits for it.
func (r *Relay) whileServing(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if !r.apiUse.TryRLock() {
			return // the server has been closed under this request
		}
		defer r.apiUse.RUnlock()
		h.ServeHTTP(w, req)
	})
}

func (r *Relay) handler(rt route) http.Handler {
	return r.whileServing(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		req.Body = http.MaxBytesReader(w, req.Body, maxBody)
		c := &call{Request: req, header: w.Header(), writer: w, caller: caller(req)}
		answer, err := r.answer(rt, c)
		r.recordCall(c, rt, err)
		if err != nil {
			r.writeError(w, req, err)
			return
		}
		switch answer := answer.(type) {
		case nil:
			w.WriteHeader(rt.status)
		case streamed:
		case rawAnswer:
			w.Header().Set("Content-Type", answer.contentType)
			w.Write(answer.body) // an error means that the client has gone
		default:
			r.writeJSON(w, rt.status, answer)
		}
	}))
}

// answer checks who calls and how often, then does what the route says.
func (r *Relay) answer(rt route, c *call) (any, error) {
	if rt.role != "" {
		if err := r.authenticate(c); err != nil {
			if tooMany := r.callRates.check(c, r.cfg.Clock.Now()); tooMany != nil { // by address: nobody is known
				return nil, tooMany
			}
			return nil, err
		}
	}
	if err := r.callRates.check(c, r.cfg.Clock.Now()); err != nil {
		return nil, err
	}
	if rt.role != "" && !mayAct(c.who.role, rt.role) {
		return nil, forbidden(c.who.role, rt.role)
	}
	if err := checkLengths(c, rt.pattern); err != nil {
		return nil, err
	}
	return rt.serve(r, c)
}

// caller is where a request comes from: the socket, or what a trusted balancer said of it.
func caller(req *http.Request) netip.AddrPort {
	ap, err := netip.ParseAddrPort(req.RemoteAddr)
	if err != nil {
		return netip.AddrPort{}
	}
	return netip.AddrPortFrom(ap.Addr().Unmap().WithZone(""), ap.Port())
}

// noRoute is the answer where no route matches: ServeMux's own is not JSON, which Napter's command line needs. RFC 9110, 15.5.6, wants Allow.
func noRoute(mux *http.ServeMux, req *http.Request, header http.Header) *apiError {
	var allowed []string
	for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodDelete} {
		other := req.Clone(context.Background())
		other.Method = method
		if _, pattern := mux.Handler(other); pattern != "/" && method != req.Method {
			allowed = append(allowed, method)
		}
	}
	if len(allowed) > 0 {
		list := strings.Join(allowed, ", ")
		header.Set("Allow", list)
		return apiErrorf(http.StatusMethodNotAllowed, codeMethod, "%s does not take %s, but %s", req.URL.Path, req.Method, list)
	}
	return apiErrorf(http.StatusNotFound, codeNoPath, "no such path: %s", req.URL.Path)
}

// errorAnswer is the API's form of an error. What is no apiError is the relay's own fault, and the log says which.
func (r *Relay) errorAnswer(req *http.Request, err error) *apiError {
	var e *apiError
	if errors.As(err, &e) {
		return e
	}
	if req.Context().Err() == nil { // else the caller has gone, and nothing is wrong
		r.log.Error("answering the API", "method", req.Method, "path", req.URL.Path, "error", err)
	}
	return apiErrorf(http.StatusInternalServerError, codeInternal, "the relay could not do it; its log says why")
}

func (r *Relay) writeError(w http.ResponseWriter, req *http.Request, err error) {
	e := r.errorAnswer(req, err)
	r.writeJSON(w, e.status, relayapi.Error{Code: e.code, Message: e.text.in(language(req))})
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
