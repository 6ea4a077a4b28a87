package sshd

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gliderlabs/ssh"
	gossh "golang.org/x/crypto/ssh"
)

// connection is one client. It has an ssh.Server of its own, so that callbacks know whose they are.
type connection struct {
	server   *Server
	ctx      context.Context
	log      *slog.Logger
	login    *time.Timer // ends the connection unless somebody logs in
	channels atomic.Int32
	open     sync.WaitGroup // sessions and forwardings

	mu    sync.Mutex // guards ended
	ended bool       // nothing new begins: open is being waited for
}

func (s *Server) serveConn(ctx context.Context, conn net.Conn) {
	ctx, cancel := context.WithCancel(ctx)
	c := &connection{server: s, ctx: ctx, log: s.cfg.Logger.With("remote", conn.RemoteAddr())}
	c.login = time.AfterFunc(s.cfg.HandshakeTimeout, func() { conn.Close() })
	defer c.end()
	defer cancel()
	defer c.login.Stop()

	srv := &ssh.Server{
		Version:              "Minato",
		HostSigners:          []ssh.Signer{s.host.get()},
		IdleTimeout:          s.cfg.IdleTimeout,
		PublicKeyHandler:     c.publicKey, // always set: without any handler nobody would be asked who they are
		ServerConfigCallback: c.config,
		ConnectionFailedCallback: func(_ net.Conn, err error) {
			c.log.Info("SSH connection refused", "err", err)
		},
		// Other channels (X11, agent) and all global requests (reverse forwarding) are refused by not being here.
		ChannelHandlers: map[string]ssh.ChannelHandler{"session": c.session, "direct-tcpip": c.forward},
		RequestHandlers: map[string]ssh.RequestHandler{},
	}
	if len(s.cfg.Passwords) > 0 {
		srv.PasswordHandler = c.password
	}
	srv.HandleConn(conn)
	c.log.Debug("SSH connection closed")
}

func (c *connection) config(ssh.Context) *gossh.ServerConfig {
	return &gossh.ServerConfig{
		MaxAuthTries: maxAuthTries,
		AuthLogCallback: func(meta gossh.ConnMetadata, method string, err error) {
			switch {
			case err == nil:
				c.login.Stop()
				c.log.Info("SSH log-in", "user", meta.User(), "method", method)
			case !errors.Is(err, gossh.ErrNoAuth):
				c.log.Info("SSH log-in refused", "user", meta.User(), "method", method)
			}
		},
	}
}

func (c *connection) publicKey(_ ssh.Context, key ssh.PublicKey) bool {
	_, ok := c.server.keys[string(key.Marshal())]
	return ok
}

// password compares hashes, so that neither length nor content shows in the time it takes, nor whether there is such a user.
func (c *connection) password(ctx ssh.Context, password string) bool {
	want, known := c.server.cfg.Passwords[ctx.User()]
	wantSum, gotSum := sha256.Sum256([]byte(want)), sha256.Sum256([]byte(password))
	if subtle.ConstantTimeCompare(wantSum[:], gotSum[:]) == 1 && known {
		return true
	}
	t := time.NewTimer(c.server.authDelay)
	defer t.Stop()
	select {
	case <-t.C:
	case <-c.ctx.Done():
	}
	return false
}

// begin counts a goroutine of the library's in; false: the connection has ended. The caller calls c.open.Done.
func (c *connection) begin() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended {
		return false
	}
	c.open.Add(1)
	return true
}

// end waits for everything that began.
func (c *connection) end() {
	c.mu.Lock()
	c.ended = true
	c.mu.Unlock()
	c.open.Wait()
}

// admit bounds the channels of one connection. The caller calls leave when its channel has ended.
func (c *connection) admit(n gossh.NewChannel) bool {
	if !c.begin() {
		return false
	}
	if c.channels.Add(1) > maxChannels {
		c.leave()
		n.Reject(gossh.ResourceShortage, "too many channels on this connection")
		return false
	}
	return true
}

func (c *connection) leave() {
	c.channels.Add(-1)
	c.open.Done()
}
