package relay

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"minato/relay/relayapi"
)

// as gives a client with a new key of a role.
func (r *testRelay) as(req relayapi.CreateKeyRequest) *testRelay {
	r.t.Helper()
	k, err := r.CreateKey(r.t.Context(), req)
	if err != nil {
		r.t.Fatal(err)
	}
	other := *r
	other.Client = &relayapi.Client{BaseURL: r.BaseURL, HTTPClient: r.HTTPClient, AuthKeyID: k.AuthKeyID, AuthKey: k.AuthKey}
	return &other
}

// asUser gives a client who signs in as a new user.
func (r *testRelay) asUser(req relayapi.CreateUserRequest) *testRelay {
	r.t.Helper()
	req.Password = "correct horse"
	if _, err := r.CreateUser(r.t.Context(), req); err != nil {
		r.t.Fatal(err)
	}
	other := *r
	other.Client = &relayapi.Client{BaseURL: r.BaseURL, HTTPClient: r.HTTPClient, OperatorID: operatorID, UserName: req.UserName, Password: req.Password}
	return &other
}

// Who may call what. Each cell is tried: a role that may gets any answer but 401 and 403.
func TestRoles(t *testing.T) {
	r := startRelay(t, Config{CallRate: 10_000})
	const all, operators, admins = "viewer operator admin", "operator admin", "admin"
	table := map[string]string{
		"POST /v1/auth/logout":                                all,
		"POST /v1/operators/{operator_id}/token":              all,
		"GET /v1/port_mappings":                               all,
		"POST /v1/port_mappings":                              operators,
		"DELETE /v1/port_mappings/{ip_address}/{port}":        operators,
		"POST /v1/port_mappings/{ip_address}/{port}/extend":   operators,
		"POST /v1/port_mappings/{ip_address}/{port}/diagnose": operators,
		"GET /v1/port_mappings/sims/{sim_id}":                 all,
		"POST /v1/port_mappings/sims/{sim_id}":                operators,
		"GET /v1/port_mappings/subscribers/{imsi}":            all,
		"GET /v1/connections":                                 all,
		"DELETE /v1/connections/{connection_id}":              operators,
		"GET /v1/events":                                      all,
		"GET /v1/sims":                                        all,
		"GET /v1/sims/{sim_id}":                               all,
		"GET /v1/sims/{sim_id}/events/sessions":               all,
		"GET /v1/subscribers":                                 all,
		"GET /v1/subscribers/{imsi}":                          all,
		"GET /v1/sims/{sim_id}/agent":                         all,
		"GET /v1/stats/connections":                           all,
		"GET /v1/audit_logs/napter":                           all,
		"GET /v1/audit_logs/connections":                      all,
		"GET /v1/audit_logs/api":                              admins,
		"GET /v1/stats/napter/audit_logs":                     all,
		"GET /v1/logs":                                        all,
		"GET /v1/me":                                          all,
		"GET /v1/users":                                       admins,
		"POST /v1/users":                                      admins,
		"PUT /v1/users/{user_name}":                           admins,
		"DELETE /v1/users/{user_name}":                        admins,
		"POST /v1/users/{user_name}/password":                 all,
		"GET /v1/keys":                                        admins,
		"POST /v1/keys":                                       admins,
		"DELETE /v1/keys/{auth_key_id}":                       admins,
	}
	// Each role is tried twice: as a key and as a user who signs in.
	callers := map[string][]*testRelay{}
	for _, role := range roles {
		callers[role] = []*testRelay{r.as(relayapi.CreateKeyRequest{Role: role, Name: role}), r.asUser(relayapi.CreateUserRequest{UserName: role, Role: role})}
	}
	fill := strings.NewReplacer("{operator_id}", operatorID, "{ip_address}", "127.0.0.1", "{port}", "1", "{sim_id}", simA, "{imsi}", imsiA,
		"{connection_id}", "none", "{auth_key_id}", "none", "{user_name}", "nobody")
	for _, rt := range apiRoutes {
		if rt.role == "" {
			continue
		}
		who, ok := table[rt.pattern]
		if !ok {
			t.Errorf("%s is not in the table", rt.pattern)
		}
		delete(table, rt.pattern)
		method, path, _ := strings.Cut(rt.pattern, " ")
		for _, role := range roles {
			for i, caller := range callers[role] {
				status, stop := caller.status(method, fill.Replace(path))
				stop()
				if may := strings.Contains(who, role); may == (status == 403) || status == 401 {
					t.Errorf("%s as %s %d: status %d, want may=%v", rt.pattern, role, i, status, may)
				}
			}
		}
		if status, stop := r.statusWithout(method, fill.Replace(path)); status != 401 {
			t.Errorf("%s without credentials: status %d", rt.pattern, status)
		} else {
			stop()
		}
	}
	for pattern := range table {
		t.Errorf("%s is no route", pattern)
	}
}

// status calls with an empty object as the body and does not read the answer, which may be a stream.
func (r *testRelay) status(method, path string) (int, func()) {
	r.t.Helper()
	auth, err := r.Auth(r.t.Context())
	if err != nil {
		r.t.Fatal(err)
	}
	return r.send(method, path, auth)
}

func (r *testRelay) statusWithout(method, path string) (int, func()) {
	return r.send(method, path, &relayapi.AuthResponse{})
}

func (r *testRelay) send(method, path string, auth *relayapi.AuthResponse) (int, func()) {
	r.t.Helper()
	body := "{}"
	if method == http.MethodGet {
		body = ""
	}
	req, err := http.NewRequestWithContext(r.t.Context(), method, r.BaseURL+path, strings.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	req.Header.Set(relayapi.HeaderAPIKey, auth.APIKey)
	req.Header.Set(relayapi.HeaderToken, auth.Token)
	resp, err := r.HTTPClient.Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	return resp.StatusCode, func() { resp.Body.Close() }
}

// A SIM outside a key's permission looks as if it did not exist, in every call.
func TestScope(t *testing.T) {
	sims := append(fixedDirectory(nil), testSIMs...)
	sims[1].Tags = map[string]string{"site": "osaka"}
	r := startRelay(t, Config{Directory: sims, CallRate: 10_000})
	theirs := r.mapping(false) // to SIM A
	live := r.opened(theirs)
	defer live.Close()
	for name, k := range map[string]*testRelay{
		"by id":  r.as(relayapi.CreateKeyRequest{Role: RoleOperator, SIMIDs: []string{simB}}),
		"by tag": r.as(relayapi.CreateKeyRequest{Role: RoleOperator, Tags: map[string]string{"site": "osaka"}}),
		"a user": r.asUser(relayapi.CreateUserRequest{UserName: "osaka", Role: RoleOperator, Tags: map[string]string{"site": "osaka"}}),
	} {
		t.Run(name, func(t *testing.T) {
			ours, err := k.CreatePortMapping(t.Context(), relayapi.CreatePortMappingRequest{Destination: relayapi.Destination{SIMID: simB, Port: 80}})
			if err != nil {
				t.Fatal(err)
			}
			if list, err := k.SIMs(t.Context()); err != nil || len(list) != 1 || list[0].SIMID != simB {
				t.Errorf("SIMs %+v, %v", list, err)
			}
			if list, err := k.ListPortMappings(t.Context()); err != nil || len(list) != 1 || list[0].Port != ours.Port {
				t.Errorf("mappings %+v, %v", list, err)
			}
			if list, err := k.Connections(t.Context()); err != nil || len(list) != 0 {
				t.Errorf("connections %+v, %v", list, err)
			}
			entries, _, err := k.AuditLogs(t.Context(), relayapi.AuditQuery{})
			if err != nil || len(entries) == 0 {
				t.Errorf("audit log %+v, %v", entries, err)
			}
			for _, e := range entries {
				if e.SIMID != simB {
					t.Errorf("the audit log shows %+v", e)
				}
			}
			all, err := r.Connections(t.Context())
			if err != nil || len(all) == 0 {
				t.Fatal(err)
			}
			for _, tt := range []struct{ method, path, unknown string }{
				{"GET", "/v1/sims/" + simA, "/v1/sims/8981100000000000009"},
				{"GET", "/v1/sims/" + simA + "/events/sessions", "/v1/sims/8981100000000000009/events/sessions"},
				{"GET", "/v1/subscribers/" + imsiA, "/v1/subscribers/440109999999999"},
				{"GET", "/v1/port_mappings/sims/" + simA, "/v1/port_mappings/sims/8981100000000000009"},
				{"GET", "/v1/port_mappings/subscribers/" + imsiA, "/v1/port_mappings/subscribers/440109999999999"},
				{"DELETE", "/v1/port_mappings/127.0.0.1/" + endpointPort(theirs), "/v1/port_mappings/127.0.0.1/1"},
				{"POST", "/v1/port_mappings/127.0.0.1/" + endpointPort(theirs) + "/extend", "/v1/port_mappings/127.0.0.1/1/extend"},
				{"POST", "/v1/port_mappings/127.0.0.1/" + endpointPort(theirs) + "/diagnose", "/v1/port_mappings/127.0.0.1/1/diagnose"},
				{"DELETE", "/v1/connections/" + all[0].ConnectionID, "/v1/connections/none"},
			} {
				got, gotBody, _ := k.request(tt.method, tt.path, "{}", nil)
				want, wantBody, _ := k.request(tt.method, tt.unknown, "{}", nil)
				same := strings.NewReplacer(simA, "#", "8981100000000000009", "#", imsiA, "#", "440109999999999", "#",
					"port "+endpointPort(theirs), "port #", "port 1", "port #", all[0].ConnectionID, "#", "none", "#")
				if got != want || got != 404 || same.Replace(gotBody) != same.Replace(wantBody) {
					t.Errorf("%s %s: %d %s; of what does not exist: %d %s", tt.method, tt.path, got, gotBody, want, wantBody)
				}
			}
			_, err = k.CreatePortMapping(t.Context(), relayapi.CreatePortMappingRequest{Destination: relayapi.Destination{IMSI: imsiA, Port: 80}})
			if e := (*relayapi.Error)(nil); !errors.As(err, &e) || e.Status != 404 || e.Code != codeNoSIM {
				t.Errorf("a mapping to another's SIM: %v", err)
			}
			if err := k.DeletePortMapping(t.Context(), ours.IPAddress, ours.Port); err != nil {
				t.Error(err)
			}
		})
	}
}

func endpointPort(m *relayapi.PortMapping) string {
	return m.Endpoint[strings.LastIndexByte(m.Endpoint, ':')+1:]
}

// The log of calls tells who asked for what, and an ended token stays ended after a restart.
func TestAPIAuditLogAndLogout(t *testing.T) {
	dir := t.TempDir()
	r := startRelay(t, Config{Dir: dir})
	id, secret := r.AuthKeyID, r.AuthKey
	r.mapping(false)
	r.request("DELETE", "/v1/port_mappings/127.0.0.1/1", "", nil)
	_, answer, _ := r.request("GET", "/v1/audit_logs/api?limit=2&api_kind=DELETE+/v1/port_mappings/%7Bip_address%7D/%7Bport%7D", "", nil)
	for _, want := range []string{`"requestPath":"/v1/port_mappings/127.0.0.1/1"`, `"statusCode":404`, `"userName":"first admin key"`, `"remoteIpAddress":"127.0.0.1"`} {
		if !strings.Contains(answer, want) {
			t.Errorf("no %s in %s", want, answer)
		}
	}
	_, _, header := r.request("GET", "/v1/audit_logs/api?limit=2", "", nil)
	if next := header.Get(relayapi.HeaderNextKey); next == "" {
		t.Error("no next page")
	} else if status, answer, _ := r.request("GET", "/v1/audit_logs/api?limit=1000&last_evaluated_key="+next, "", nil); status != 200 || !strings.Contains(answer, "POST /v1/port_mappings") {
		t.Errorf("next page: %d %s", status, answer)
	}
	auth, err := r.Auth(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	status, stop := r.send("POST", "/v1/auth/logout", auth)
	stop()
	if status != 204 {
		t.Fatalf("logout: %d", status)
	}
	r.stop()
	r = startRelay(t, Config{Dir: dir, BootstrapKey: func(string, string) {}})
	r.AuthKeyID, r.AuthKey = id, secret
	status, stop = r.send("GET", "/v1/sims", auth)
	stop()
	if status != 401 {
		t.Errorf("after logout and a restart: %d", status)
	}
}

func TestTokenGoesOn(t *testing.T) {
	r := startRelay(t, Config{})
	auth, err := r.Auth(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	status, answer, _ := r.request("POST", "/v1/operators/"+operatorID+"/token", `{"tokenTimeoutSeconds":60}`, map[string]string{
		relayapi.HeaderAPIKey: auth.APIKey, relayapi.HeaderToken: auth.Token})
	token := strings.TrimSuffix(strings.TrimPrefix(answer, `{"token":"`), `"}`)
	if status != 200 || strings.Count(token, ".") != 2 {
		t.Fatalf("%d %s", status, answer)
	}
	status, stop := r.send("GET", "/v1/sims", &relayapi.AuthResponse{APIKey: auth.APIKey, Token: token})
	stop()
	if status != 200 {
		t.Errorf("with the second token: %d", status)
	}
	if status, _, _ := r.request("POST", "/v1/operators/OP0000000002/token", "", nil); status != 404 {
		t.Errorf("another operator's token: %d", status)
	}
}
