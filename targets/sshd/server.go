// Package sshd is an SSH server for people who look after a device: a small set of commands about the plant, on a terminal or one
// at a time, or a real shell where the configuration names one; files over SFTP, which are in memory; and port forwarding to the
// device's listed services. There is no agent, X11 or reverse forwarding, and no default password: without a key or a password in the
// configuration nobody gets in.
package sshd

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"os/exec"
	"time"

	gossh "golang.org/x/crypto/ssh"

	"minato/targets/conns"
	"minato/targets/plc"
)

const (
	defaultHandshakeTimeout = 30 * time.Second
	defaultIdleTimeout      = 30 * time.Minute
	defaultAuthDelay        = time.Second
	maxAuthTries            = 6 // as OpenSSH: a client offers each key of its agent
	maxChannels             = 16
	maxConnections          = 16
)

// Config of a Server.
type Config struct {
	Name  string     // of the device, in the greeting and the prompt
	Plant *plc.Plant // what the commands show and switch

	HostKeyFile    string            // ed25519, OpenSSH PEM; made with mode 0600 when absent; "", or one that cannot be used: a new key in memory
	AuthorizedKeys []string          // lines of an authorized_keys file; empty lines and comments are skipped
	Passwords      map[string]string // user to password; empty: no password log-in

	// Shell is a program to run instead of the sample commands, such as /bin/sh, as the user that this process is, whatever name was
	// logged in with. "": the sample commands.
	Shell string

	// Dial reaches the device's own services for port forwarding; see targets.Config.
	Dial func(ctx context.Context, port uint16) (net.Conn, error)

	HandshakeTimeout time.Duration // until somebody has logged in; 0: 30 s
	IdleTimeout      time.Duration // without a byte either way; 0: 30 min
	Logger           *slog.Logger  // nil: silent
}

// Server serves any number of listeners.
type Server struct {
	cfg       Config
	host      *hostKey
	keys      map[string]struct{} // authorized, in wire form
	files     *drawer
	authDelay time.Duration
}

// NewServer checks cfg, and reads or makes the host key.
func NewServer(cfg Config) (*Server, error) {
	if cfg.HandshakeTimeout == 0 {
		cfg.HandshakeTimeout = defaultHandshakeTimeout
	}
	if cfg.IdleTimeout == 0 {
		cfg.IdleTimeout = defaultIdleTimeout
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	for user, password := range cfg.Passwords {
		if user == "" || password == "" {
			return nil, fmt.Errorf("the SSH password of user %q: neither may be empty", user)
		}
	}
	keys, err := parseAuthorizedKeys(cfg.AuthorizedKeys)
	if err != nil {
		return nil, err
	}
	if cfg.Shell != "" {
		if cfg.Shell, err = exec.LookPath(cfg.Shell); err != nil {
			return nil, fmt.Errorf("looking for the SSH shell: %w", err)
		}
	}
	host, err := newHostKey(cfg.HostKeyFile, cfg.Logger)
	if err != nil {
		return nil, err
	}
	host.get() // makes the file, and tells of it that it cannot
	s := &Server{cfg: cfg, host: host, keys: keys, authDelay: defaultAuthDelay}
	s.files = newDrawer(s)
	return s, nil
}

// HostKey is the public key by which clients know this server.
func (s *Server) HostKey() gossh.PublicKey { return s.host.get().PublicKey() }

// Serve lets people in on l until ctx ends; see targets.Service.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	return conns.Serve(ctx, l, conns.Config{Limit: maxConnections, Logger: s.cfg.Logger}, s.serveConn)
}
