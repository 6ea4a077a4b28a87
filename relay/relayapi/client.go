package relayapi

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
)

// maxAnswer bounds what a client reads of one answer.
const maxAnswer = 32 << 20

// Client calls the API of one relay. It authenticates by itself at the first call, and again when the relay says 401, so
// that a token which ended or a relay which was restarted does not show. Safe for concurrent use.
type Client struct {
	BaseURL    string       // "http://127.0.0.1:8080", without /v1
	HTTPClient *http.Client // nil: http.DefaultClient
	AuthKeyID  string
	AuthKey    string
	UserName   string // in place of a key, with Password and OperatorID
	Password   string
	OperatorID string
	Lang       string // of messages: "ja", everything else is English

	mu   sync.Mutex
	auth *AuthResponse // guarded by mu; nil: not yet
}

// Auth exchanges the authentication key for a token. The other calls do it by themselves.
func (c *Client) Auth(ctx context.Context) (*AuthResponse, error) {
	var answer AuthResponse
	body := AuthRequest{AuthKeyID: c.AuthKeyID, AuthKey: c.AuthKey, OperatorID: c.OperatorID, UserName: c.UserName, Password: c.Password}
	if _, err := c.send(ctx, nil, http.MethodPost, "/auth", body, &answer); err != nil {
		return nil, err
	}
	c.mu.Lock()
	c.auth = &answer
	c.mu.Unlock()
	return &answer, nil
}

// Logout ends the token.
func (c *Client) Logout(ctx context.Context) error {
	c.mu.Lock()
	auth := c.auth
	c.auth = nil
	c.mu.Unlock()
	if auth == nil {
		return nil
	}
	_, err := c.send(ctx, auth, http.MethodPost, "/auth/logout", nil, nil)
	return err
}

// CreatePortMapping makes a mapping.
func (c *Client) CreatePortMapping(ctx context.Context, r CreatePortMappingRequest) (*PortMapping, error) {
	var answer PortMapping
	if _, err := c.call(ctx, http.MethodPost, "/port_mappings", r, &answer); err != nil {
		return nil, err
	}
	return &answer, nil
}

// ListPortMappings lists all mappings.
func (c *Client) ListPortMappings(ctx context.Context) ([]PortMapping, error) {
	return pages[PortMapping](ctx, c, "/port_mappings", url.Values{})
}

// DeletePortMapping ends a mapping and cuts its connections.
func (c *Client) DeletePortMapping(ctx context.Context, ipAddress string, port int) error {
	path := "/port_mappings/" + url.PathEscape(ipAddress) + "/" + strconv.Itoa(port)
	_, err := c.call(ctx, http.MethodDelete, path, nil, nil)
	return err
}

// ExtendPortMapping lets a mapping end so many seconds from now.
func (c *Client) ExtendPortMapping(ctx context.Context, ipAddress string, port, seconds int) (*PortMapping, error) {
	var answer PortMapping
	path := "/port_mappings/" + url.PathEscape(ipAddress) + "/" + strconv.Itoa(port) + "/extend"
	if _, err := c.call(ctx, http.MethodPost, path, ExtendRequest{Duration: seconds}, &answer); err != nil {
		return nil, err
	}
	return &answer, nil
}

// Diagnose walks a client's way through a mapping. Source is the client's address, "" the caller's own.
func (c *Client) Diagnose(ctx context.Context, ipAddress string, port int, source string) (*Diagnosis, error) {
	var answer Diagnosis
	path := "/port_mappings/" + url.PathEscape(ipAddress) + "/" + strconv.Itoa(port) + "/diagnose"
	if _, err := c.call(ctx, http.MethodPost, path, DiagnoseRequest{SourceIPAddress: source}, &answer); err != nil {
		return nil, err
	}
	return &answer, nil
}

// Connections lists the live connections.
func (c *Client) Connections(ctx context.Context) ([]Connection, error) {
	return pages[Connection](ctx, c, "/connections", url.Values{})
}

// CutConnection ends a live connection.
func (c *Client) CutConnection(ctx context.Context, id string) error {
	_, err := c.call(ctx, http.MethodDelete, "/connections/"+url.PathEscape(id), nil, nil)
	return err
}

// CreateKey makes an authentication key, whose secret is in the answer and nowhere else.
func (c *Client) CreateKey(ctx context.Context, r CreateKeyRequest) (*Key, error) {
	var answer Key
	if _, err := c.call(ctx, http.MethodPost, "/keys", r, &answer); err != nil {
		return nil, err
	}
	return &answer, nil
}

// RevokeKey ends an authentication key, and what was signed in with it.
func (c *Client) RevokeKey(ctx context.Context, id string) error {
	_, err := c.call(ctx, http.MethodDelete, "/keys/"+url.PathEscape(id), nil, nil)
	return err
}

// CreateUser makes a user.
func (c *Client) CreateUser(ctx context.Context, r CreateUserRequest) (*User, error) {
	var answer User
	if _, err := c.call(ctx, http.MethodPost, "/users", r, &answer); err != nil {
		return nil, err
	}
	return &answer, nil
}

// Me tells whose credentials these are.
func (c *Client) Me(ctx context.Context) (*Me, error) {
	var answer Me
	if _, err := c.call(ctx, http.MethodGet, "/me", nil, &answer); err != nil {
		return nil, err
	}
	return &answer, nil
}

// SIMs lists the SIMs that the relay knows.
func (c *Client) SIMs(ctx context.Context) ([]SIM, error) {
	return pages[SIM](ctx, c, "/sims", url.Values{})
}

// SIM gives one SIM.
func (c *Client) SIM(ctx context.Context, id string) (*SIM, error) {
	var answer SIM
	if _, err := c.call(ctx, http.MethodGet, "/sims/"+url.PathEscape(id), nil, &answer); err != nil {
		return nil, err
	}
	return &answer, nil
}

// AuditLogs gives one page of Napter's audit log, and the key of the next page, "" at the end.
func (c *Client) AuditLogs(ctx context.Context, q AuditQuery) (entries []NapterAuditLogEntry, next string, err error) {
	next, err = c.call(ctx, http.MethodGet, "/audit_logs/napter?"+q.values().Encode(), nil, &entries)
	return entries, next, err
}

// ConnectionLogs is AuditLogs of the relay's own log: all entry types, and each connection's ladder.
func (c *Client) ConnectionLogs(ctx context.Context, q AuditQuery) (entries []ConnectionLogEntry, next string, err error) {
	next, err = c.call(ctx, http.MethodGet, "/audit_logs/connections?"+q.values().Encode(), nil, &entries)
	return entries, next, err
}

// ConnectionStats counts connections, refusals and bytes in parts of the time. From and to are milliseconds; 0 and 0: the last day.
func (c *Client) ConnectionStats(ctx context.Context, from, to int64, buckets int) (*ConnectionStats, error) {
	v := url.Values{}
	for name, n := range map[string]int64{"from": from, "to": to, "buckets": int64(buckets)} {
		if n != 0 {
			v.Set(name, strconv.FormatInt(n, 10))
		}
	}
	var s ConnectionStats
	if _, err := c.call(ctx, http.MethodGet, "/stats/connections?"+v.Encode(), nil, &s); err != nil {
		return nil, err
	}
	return &s, nil
}

// AgentStatus is the document that the agent on a SIM's device gives of itself.
func (c *Client) AgentStatus(ctx context.Context, simID string) (map[string]any, error) {
	var status map[string]any
	if _, err := c.call(ctx, http.MethodGet, "/sims/"+url.PathEscape(simID)+"/agent", nil, &status); err != nil {
		return nil, err
	}
	return status, nil
}

// values is the query as parameters.
func (q AuditQuery) values() url.Values {
	v := url.Values{}
	if q.IMSI != "" {
		v.Set("resource_type", "Subscriber")
	}
	for name, s := range map[string]string{"resource_id": q.IMSI, "sim_id": q.SIMID, "code": q.Code, "type": q.Type, "last_evaluated_key": q.LastEvaluatedKey} {
		if s != "" {
			v.Set(name, s)
		}
	}
	for name, n := range map[string]int64{"from": q.From, "to": q.To, "limit": int64(q.Limit)} {
		if n != 0 {
			v.Set(name, strconv.FormatInt(n, 10))
		}
	}
	return v
}

// Health asks the relay how it is; it needs no key.
func (c *Client) Health(ctx context.Context) (*Health, error) {
	var answer Health
	if _, err := c.send(ctx, nil, http.MethodGet, "/health", nil, &answer); err != nil {
		return nil, err
	}
	return &answer, nil
}

// CA gives the root certificate of the relay's private CA as PEM; it needs no key.
func (c *Client) CA(ctx context.Context) ([]byte, error) {
	var pem []byte
	if _, err := c.send(ctx, nil, http.MethodGet, "/ca.pem", nil, &pem); err != nil {
		return nil, err
	}
	return pem, nil
}

// pages follows the next keys of a list to its end.
func pages[T any](ctx context.Context, c *Client, path string, v url.Values) ([]T, error) {
	var all []T
	for {
		var page []T
		next, err := c.call(ctx, http.MethodGet, path+"?"+v.Encode(), nil, &page)
		if err != nil {
			return nil, err
		}
		all = append(all, page...)
		if next == "" || next == v.Get("last_evaluated_key") {
			return all, nil
		}
		v.Set("last_evaluated_key", next)
	}
}

// call sends an authenticated request, and once more with a new token when the old one is not accepted.
func (c *Client) call(ctx context.Context, method, path string, body, answer any) (next string, err error) {
	c.mu.Lock()
	auth := c.auth
	c.mu.Unlock()
	fresh := auth == nil
	for {
		if auth == nil {
			if auth, err = c.Auth(ctx); err != nil {
				return "", err
			}
		}
		next, err = c.send(ctx, auth, method, path, body, answer)
		var apiErr *Error
		if fresh || !errors.As(err, &apiErr) || apiErr.Status != http.StatusUnauthorized {
			return next, err
		}
		auth, fresh = nil, true
	}
}

func (c *Client) send(ctx context.Context, auth *AuthResponse, method, path string, body, answer any) (next string, err error) {
	var payload io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			return "", fmt.Errorf("encoding the request: %w", err)
		}
		payload = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, strings.TrimSuffix(c.BaseURL, "/")+"/v1"+path, payload)
	if err != nil {
		return "", fmt.Errorf("making the request: %w", err)
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if c.Lang != "" {
		req.Header.Set("X-Soracom-Lang", c.Lang)
	}
	if auth != nil {
		req.Header.Set(HeaderAPIKey, auth.APIKey)
		req.Header.Set(HeaderToken, auth.Token)
	}
	client := c.HTTPClient
	if client == nil {
		client = http.DefaultClient
	}
	resp, err := client.Do(req)
	if err != nil {
		return "", fmt.Errorf("calling the relay: %w", err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return "", fmt.Errorf("reading the answer of %s %s: %w", method, path, err)
	}
	if resp.StatusCode >= 400 {
		return "", decodeError(resp.StatusCode, b)
	}
	switch answer := answer.(type) {
	case nil:
	case *[]byte:
		*answer = b
	default:
		if err := json.Unmarshal(b, answer); err != nil {
			return "", fmt.Errorf("decoding the answer of %s %s: %w", method, path, err)
		}
	}
	return resp.Header.Get(HeaderNextKey), nil
}

// decodeError keeps what is there when the answer is not the API's, such as an office proxy's page.
func decodeError(status int, body []byte) error {
	e := &Error{Status: status}
	if json.Unmarshal(body, e) != nil || e.Message == "" {
		e.Code = "HTTP" + strconv.Itoa(status)
		e.Message = http.StatusText(status)
	}
	return e
}
