package sshd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"

	"github.com/gliderlabs/ssh"
	gossh "golang.org/x/crypto/ssh"
)

// directTCPIP is what a client asks for (RFC 4254, section 7.2).
type directTCPIP struct {
	Host       string
	Port       uint32
	OriginHost string
	OriginPort uint32
}

// ownNames are the hosts that mean this device. Nothing else is reached through it.
var ownNames = map[string]bool{"localhost": true, "127.0.0.1": true, "::1": true}

// forward connects a direct-tcpip channel to one of the device's listed services, or says why not.
func (c *connection) forward(_ *ssh.Server, _ *gossh.ServerConn, n gossh.NewChannel, _ ssh.Context) {
	if !c.admit(n) {
		return
	}
	defer c.leave()
	var to directTCPIP
	if err := gossh.Unmarshal(n.ExtraData(), &to); err != nil {
		n.Reject(gossh.ConnectionFailed, "malformed direct-tcpip request")
		return
	}
	target, reason, why := c.dial(to)
	if target == nil {
		c.log.Info("SSH forwarding refused", "host", to.Host, "port", to.Port, "cause", why)
		n.Reject(reason, why)
		return
	}
	defer target.Close()
	ch, requests, err := n.Accept()
	if err != nil {
		return
	}
	c.log.Info("SSH forwarding", "port", to.Port)
	// The requests end with the channel or its connection; a target that is silent then must not hold anything up.
	c.open.Go(func() {
		gossh.DiscardRequests(requests)
		target.Close()
	})
	defer ch.Close()
	downstream := make(chan struct{})
	c.open.Go(func() {
		defer close(downstream)
		copyHalf(ch, target)
	})
	copyHalf(target, ch)
	<-downstream
}

func (c *connection) dial(to directTCPIP) (target net.Conn, reason gossh.RejectionReason, why string) {
	switch {
	case c.server.cfg.Dial == nil:
		return nil, gossh.Prohibited, "port forwarding is off on this device"
	case !ownNames[to.Host]:
		return nil, gossh.Prohibited, fmt.Sprintf("only this device's own services can be reached: ask for localhost, not %q", to.Host)
	case to.Port == 0 || to.Port > 0xffff:
		return nil, gossh.Prohibited, fmt.Sprintf("there is no port %d", to.Port)
	}
	target, err := c.server.cfg.Dial(c.ctx, uint16(to.Port))
	switch {
	case err == nil:
		return target, 0, ""
	case errors.Is(err, os.ErrPermission):
		return nil, gossh.Prohibited, fmt.Sprintf("port %d is not one of this device's listed services", to.Port)
	case errors.Is(err, context.Canceled):
		return nil, gossh.ConnectionFailed, "the connection is ending"
	}
	return nil, gossh.ConnectionFailed, fmt.Sprintf("reaching port %d: %v", to.Port, err)
}

// copyHalf ends dst's direction when src's has ended, and leaves the other one open. A failure ends both.
func copyHalf(dst io.WriteCloser, src io.ReadCloser) {
	_, err := io.Copy(dst, src)
	half, ok := dst.(interface{ CloseWrite() error })
	if err == nil && ok {
		half.CloseWrite()
		return
	}
	dst.Close()
	src.Close()
}
