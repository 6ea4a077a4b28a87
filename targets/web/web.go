// Package web is the plant's page: live values for people at /, the same as JSON and over a WebSocket, and two addresses that measure a path: /bytes/N
// sends N bytes, /upload counts and hashes what it gets. Every address in the page is relative, because people reach it under
// names and ports that the device does not know.
package web

import (
	"context"
	"crypto/tls"
	"embed"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"minato/targets/plc"
)

//go:embed page
var pages embed.FS

const (
	headerTimeout = 20 * time.Second
	idleTimeout   = 2 * time.Minute
	stallTimeout  = 2 * time.Minute // without progress of a body, either way
	maxHeader     = 16 << 10
)

// Config of a Server.
type Config struct {
	Name   string       // of the device, shown on the page
	Plant  *plc.Plant   // what is shown
	TLS    *tls.Config  // nil: plain HTTP
	Logger *slog.Logger // nil: silent
}

// Server serves the page on any number of listeners.
type Server struct {
	cfg     Config
	page    string // page/index.html
	handler http.Handler
}

// NewServer gives a server.
func NewServer(cfg Config) (*Server, error) {
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	page, err := pages.ReadFile("page/index.html")
	if err != nil {
		return nil, fmt.Errorf("reading the page: %w", err)
	}
	s := &Server{cfg: cfg, page: string(page)}
	s.handler = secure(s.routes())
	return s, nil
}

// routes is every address.
func (s *Server) routes() *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", s.index)
	mux.Handle("GET /page.css", static("page/page.css"))
	mux.Handle("GET /page.js", static("page/page.js"))
	mux.HandleFunc("GET /api/values", s.values)
	mux.HandleFunc("GET /api/events", s.events)
	mux.HandleFunc("GET /api/socket", s.socket)
	mux.HandleFunc("GET /healthz", healthz)
	mux.HandleFunc("GET /bytes/{n}", serveBytes)
	mux.HandleFunc("PUT /upload", upload)
	mux.HandleFunc("POST /upload", upload)
	return mux
}

// Serve answers on l until ctx ends; see targets.Service.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if s.cfg.TLS != nil {
		l = tls.NewListener(l, s.cfg.TLS)
	}
	var open sync.WaitGroup // connections, and calls of the handler: a WebSocket's goes on without its connection
	srv := &http.Server{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			open.Add(1)
			defer open.Done()
			s.handler.ServeHTTP(w, r)
		}),
		ReadHeaderTimeout: headerTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeader,
		BaseContext:       func(net.Listener) context.Context { return ctx },
		ErrorLog:          slog.NewLogLogger(s.cfg.Logger.Handler(), slog.LevelDebug),
		ConnState: func(_ net.Conn, state http.ConnState) {
			switch state {
			case http.StateNew:
				open.Add(1)
			case http.StateClosed, http.StateHijacked:
				open.Done()
			}
		},
	}
	stop := context.AfterFunc(ctx, func() { srv.Close() })
	defer stop()
	err := srv.Serve(l)
	cancel()
	srv.Close()
	open.Wait()
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return fmt.Errorf("serving HTTP on %v: %w", l.Addr(), err)
}

// secure sets what every answer carries. The page has no foreign parts, so the policy allows none.
func secure(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		next.ServeHTTP(w, r)
	})
}
