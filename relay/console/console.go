// Package console is the relay's web console: pages made by npm and esbuild, embedded in the binary, and the little that a browser cannot do itself.
//
//	browser --- pages, /console/api/... ---> Console ---> API (the relay's own: permissions, scope, rates, messages)
//	   \------- WebSocket (VNC, SSH, Modbus) ---> Console ---> Dial (through a port mapping: its ranges, limits, log, end)
//
// It has no rights and no memory of its own: signing in gives the browser the API's two credentials in a sealed cookie and the page the key to it, and
// each call is the API's call of that user. So any relay node answers it, a restart signs nobody out, and signing out or revoking the key ends it everywhere.
package console

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
)

// Config of a console. API, Dial and HostKeys are required.
type Config struct {
	Logger *slog.Logger // nil: discard

	OperatorID string // that users sign in to

	// API is the relay's REST API. It is called with the browser's address and the user's credentials.
	API http.Handler

	// Dial connects through the mapping at an address, as the user whose credentials the request carries and from the request's address. It returns
	// when the device is connected. A *Refusal says why it is not.
	Dial func(req *http.Request, mapping netip.AddrPort) (*Connection, error)

	HostKeys HostKeys
}

// Connection is a live connection through a mapping. The relay closes it when the mapping ends or somebody cuts it.
type Connection struct {
	net.Conn
	ID         string // in the audit log
	SIMID      string
	DevicePort uint16
}

// Refusal is why a connection is not made.
type Refusal struct {
	Code    string `json:"code"`    // a cause (R01...) or an error code of the API
	Message string `json:"message"` // what happened and the cure, in the user's language
	Detail  string `json:"detail,omitempty"`

	DetailCode string   `json:"detailCode,omitempty"` // of the detail, where it is a word of the audit log
	DetailArgs []string `json:"detailArgs,omitempty"`
}

func (r *Refusal) Error() string { return r.Message + " (" + r.Code + ")" }

// HostKeys keeps the SSH host key of each SIM's device, in SSH wire format (RFC 4253 section 6.6).
type HostKeys interface {
	HostKey(ctx context.Context, simID string) ([]byte, error) // nil: none yet
	PinHostKey(ctx context.Context, simID string, key []byte) error
}

// Console serves /console/. Make it with New; Close ends its WebSockets.
type Console struct {
	cfg     Config
	log     *slog.Logger
	handler http.Handler

	ctx   context.Context // of the WebSockets
	close context.CancelFunc
}

// New prepares the pages that are embedded.
func New(cfg Config) (*Console, error) {
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	c := &Console{cfg: cfg, log: cfg.Logger}
	c.ctx, c.close = context.WithCancel(context.Background())
	pages, err := newPages(embedded)
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /console/session", c.signIn)
	mux.HandleFunc("DELETE /console/session", c.signOut)
	mux.HandleFunc("/console/api/", c.forward)
	mux.HandleFunc("GET /console/qr.svg", c.qr)
	mux.HandleFunc("GET /console/vnc", c.socket(c.serveVNC))
	mux.HandleFunc("GET /console/ssh", c.socket(c.serveSSH))
	mux.HandleFunc("GET /console/modbus", c.socket(c.serveModbus))
	mux.Handle("/console/", pages)
	c.handler = http.NewCrossOriginProtection().Handler(mux)
	return c, nil
}

// ServeHTTP answers everything below /console/.
func (c *Console) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	secure(w.Header())
	c.handler.ServeHTTP(w, req)
}

// Close ends the WebSockets. Their handlers return soon after.
func (c *Console) Close() { c.close() }

// policy is the console's Content-Security-Policy: nothing but its own files, no inline script or style, no eval, no framing.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; connect-src 'self'; " +
	"manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// secure sets the headers of every answer. Strict-Transport-Security is not among them: it would hold for all ports of the host (RFC 6797 section
// 8.3), and a mapping without TLS on the same name could not be opened in that browser any more.
func secure(h http.Header) {
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Permissions-Policy", "camera=(), microphone=(), geolocation=()")
	h.Set("Cache-Control", "no-store")
}
