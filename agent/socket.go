package agent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"net/netip"
	"os"
	"time"

	"minato/agent/atline"
)

// ATRequest is a command for the modem, by way of the running agent.
type ATRequest struct {
	Command string `json:"command"` // without AT
}

// ATReply is the modem's answer.
type ATReply struct {
	Lines []string `json:"lines,omitempty"`
	Error string   `json:"error,omitempty"` // the modem's no, or why it was not asked
}

// keepStatus answers on the status socket until ctx ends. One that cannot be made is told of once for each reason, and tried again: the link does
// not depend on it. Another agent that answers there ends Run, since both would fight for the modem.
func (a *Agent) keepStatus(ctx context.Context) error {
	told := ""
	for {
		err := a.serveStatus(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if errors.Is(err, errOtherAgent) {
			return err
		}
		if told != err.Error() {
			told = err.Error()
			a.log.Warn("the status socket is not served", "error", err)
		}
		pauseUntil(ctx, a.timing.service)
	}
}

// serveStatus answers on the status socket until ctx ends.
func (a *Agent) serveStatus(ctx context.Context) error {
	l, err := listenUnix(ctx, a.cfg.StatusSocket)
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/status", func(w http.ResponseWriter, r *http.Request) { reply(w, http.StatusOK, a.Status()) })
	mux.HandleFunc("POST /v1/at", a.handleAT)
	srv := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second, BaseContext: func(net.Listener) context.Context { return ctx }}
	stop := context.AfterFunc(ctx, func() { srv.Close() })
	defer stop()
	if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// serveStatusPort shows the status in the closed network, read only: no commands for the modem. It has as many connections at a time as a service.
func (r *round) serveStatusPort(l *link) error {
	port := r.agent.cfg.StatusPort
	if port == 0 {
		return nil
	}
	listener, err := l.network.Listen("tcp", netip.AddrPortFrom(l.addr, uint16(port)).String())
	if err != nil {
		return fmt.Errorf("opening status_port %d: %w", port, err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/status", func(w http.ResponseWriter, _ *http.Request) { reply(w, http.StatusOK, r.agent.Status()) })
	srv := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second, WriteTimeout: 30 * time.Second, IdleTimeout: 30 * time.Second, MaxHeaderBytes: 8 << 10}
	l.group.Go(func() error {
		stop := context.AfterFunc(l.ctx, func() { srv.Close() })
		defer stop()
		srv.Serve(&limitListener{listener, &r.agent.onStatus}) // ends with the link
		return nil
	})
	return nil
}

var errOtherAgent = errors.New("another agent answers there")

// listenUnix listens on a socket file, and takes over one that a dead process left.
func listenUnix(ctx context.Context, path string) (net.Listener, error) {
	if c, err := net.DialTimeout("unix", path, time.Second); err == nil {
		c.Close()
		return nil, fmt.Errorf("listening on %q: %w", path, errOtherAgent)
	} else if fi, serr := os.Lstat(path); serr == nil && fi.Mode().Type() == fs.ModeSocket && !errors.Is(err, fs.ErrPermission) {
		os.Remove(path)
	}
	l, err := new(net.ListenConfig).Listen(ctx, "unix", path)
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(path, 0o660); err != nil {
		l.Close()
		return nil, err
	}
	return l, nil
}

func (a *Agent) handleAT(w http.ResponseWriter, r *http.Request) {
	var req ATRequest
	dec := json.NewDecoder(http.MaxBytesReader(w, r.Body, 4096))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&req); err != nil {
		reply(w, http.StatusBadRequest, ATReply{Error: "reading the request: " + err.Error()})
		return
	}
	s := a.currentSession()
	if s == nil {
		reply(w, http.StatusServiceUnavailable, ATReply{Error: "the agent has no modem at the moment"})
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), atTimeout)
	defer cancel()
	lines, err := s.commands().Command(ctx, req.Command)
	switch {
	case err == nil:
		reply(w, http.StatusOK, ATReply{Lines: lines})
	case errors.Is(err, atline.ErrOnline):
		reply(w, http.StatusConflict, ATReply{Error: "the modem's only port carries the link: set modem.ppp_port to have one for commands"})
	default:
		reply(w, http.StatusOK, ATReply{Lines: lines, Error: err.Error()})
	}
}

// atTimeout is for commands of people: +COPS=? takes three minutes.
const atTimeout = 190 * time.Second

func reply(w http.ResponseWriter, code int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	json.NewEncoder(w).Encode(v)
}
