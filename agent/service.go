package agent

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"sync"
	"time"

	"minato/relay/splice"
	"minato/targets"
	"minato/targets/panel"
)

// A service is one port of the closed-network address. It persists; each link gives it a new listener.
type service struct {
	cfg    ServiceConfig
	target targets.Service

	places

	// Guarded by the agent's mu:
	port  error  // why its port in the closed network is not open
	local error  // why its local port did not take the last connection; it outlives the link
	told  string // why it is down, as the log has it; "": it is up
}

var _ targets.Service = localPort{}

// prepareServices makes what the configuration lists.
func (a *Agent) prepareServices() error {
	lookup := a.cfg.Lookup
	for _, sc := range a.cfg.Services {
		t, err := parseTarget(sc.Target)
		if err != nil {
			return err
		}
		s := &service{cfg: sc, places: newPlaces(sc.MaxConnections, a.log.With("service", sc.Name, "service_port", sc.Port))}
		a.services = append(a.services, s)
		if t.address != "" {
			s.target = localPort{t.address, sc.ProxyProtocol, func(err error) { a.serviceState(s, &s.local, err) }}
			continue
		}
		if lookup == nil {
			if a.set, err = a.newTargets(); err != nil {
				return err
			}
			lookup = a.set.Service
		}
		if s.target = lookup(t.builtin); s.target == nil {
			return fmt.Errorf("service %q: there is no builtin %q", sc.Name, t.builtin)
		}
	}
	return nil
}

func (a *Agent) newTargets() (*targets.Set, error) {
	t := a.cfg.Targets
	cfg := targets.Config{
		Logger: a.log, Name: t.Name, VNCPassword: t.VNCPassword, Dial: a.dialOwn, Signal: func() panel.Signal { return panelSignal(a.Status().Signal) },
		SSH: targets.SSHConfig{HostKeyFile: t.SSH.HostKeyFile, AuthorizedKeys: t.SSH.AuthorizedKeys, Passwords: t.SSH.Passwords, Shell: t.SSH.Shell},
	}
	for _, s := range a.cfg.Services {
		cfg.HTTPS = cfg.HTTPS || s.Target == "builtin:https"
	}
	return targets.New(cfg)
}

// serve opens the listed ports on the link's address.
func (r *round) serve(context.Context) error {
	l := r.link
	for _, s := range r.agent.services {
		listener, err := l.listen(s)
		if err == nil {
			r.agent.serviceState(s, &s.port, nil)
		}
		l.group.Go(func() error { r.agent.keepServing(l, s, listener, err); return nil })
	}
	if err := r.serveStatusPort(l); err != nil {
		return err
	}
	if l.ctx.Err() != nil {
		return context.Cause(l.ctx)
	}
	return nil
}

func (l *link) listen(s *service) (net.Listener, error) {
	address := netip.AddrPortFrom(l.addr, uint16(s.cfg.Port)).String()
	listener, err := l.network.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("opening service %q on %s: %w", s.cfg.Name, address, err)
	}
	return &limitListener{listener, &s.places}, nil
}

// keepServing serves until the link ends. A service that fails, or whose port could not be opened, is told of once for each reason, and
// tried again; the others go on.
func (a *Agent) keepServing(l *link, s *service, listener net.Listener, err error) {
	for l.ctx.Err() == nil {
		if err == nil {
			err = s.target.Serve(l.ctx, listener)
			listener.Close()
			if l.ctx.Err() != nil {
				return
			}
			if err == nil {
				err = fmt.Errorf("service %q ended by itself", s.cfg.Name)
			}
		}
		a.serviceState(s, &s.port, err)
		if !pauseUntil(l.ctx, a.timing.service) {
			return
		}
		if listener, err = l.listen(s); err == nil {
			a.serviceState(s, &s.port, nil)
		}
	}
	if err == nil { // the link ended before anybody was served
		listener.Close()
	}
}

// dialOwn reaches a listed service through the link's own address, for SSH port forwarding. Ports that are not listed are
// not permitted: they are the device's private ones.
func (a *Agent) dialOwn(ctx context.Context, port uint16) (net.Conn, error) {
	for _, s := range a.services {
		if s.cfg.Port != int(port) {
			continue
		}
		if p, ok := s.target.(localPort); ok && !p.proxy {
			return p.dial(ctx)
		}
		a.mu.Lock()
		dial, addr := a.status.dial, a.status.Address
		a.mu.Unlock()
		if dial == nil {
			return nil, fmt.Errorf("reaching port %d: there is no link", port)
		}
		return dial(ctx, "tcp", netip.AddrPortFrom(addr, port).String())
	}
	return nil, fmt.Errorf("port %d is not a listed service: %w", port, os.ErrPermission)
}

// localPort is a service of the device that listens on an address of the host: "127.0.0.1:22".
type localPort struct {
	address string
	proxy   bool        // tell it the client by the PROXY protocol
	report  func(error) // it accepted, or why not
}

const (
	localDialTimeout  = 5 * time.Second
	localCloseTimeout = time.Minute // for the other way, when one side has ended
)

func (p localPort) dial(ctx context.Context) (net.Conn, error) {
	d := net.Dialer{Timeout: localDialTimeout}
	c, err := d.DialContext(ctx, "tcp", p.address)
	if ctx.Err() == nil { // otherwise it is the client, or the link, that ended
		p.report(err)
	}
	return c, err
}

// Serve implements targets.Service: it copies each connection to the local port, both ways, with half-close. Where nobody takes it there, the
// client is reset, as at a closed port.
func (p localPort) Serve(ctx context.Context, l net.Listener) error {
	var copying sync.WaitGroup
	defer copying.Wait()
	stop := context.AfterFunc(ctx, func() { l.Close() })
	defer stop()
	for {
		client, err := l.Accept()
		if ctx.Err() != nil {
			if err == nil {
				client.Close()
			}
			return nil
		}
		if err != nil {
			return fmt.Errorf("accepting for %s: %w", p.address, err)
		}
		copying.Go(func() { // ends with the connection or ctx
			local, err := p.dial(ctx)
			if err != nil {
				reset(client)
				return
			}
			if p.proxy {
				local.SetWriteDeadline(time.Now().Add(localDialTimeout))
				_, err := local.Write(proxyHeader(client.RemoteAddr(), client.LocalAddr()))
				if err != nil {
					reset(client)
					local.Close()
					return
				}
				local.SetWriteDeadline(time.Time{})
			}
			splice.New(client, local, splice.Config{CloseTimeout: localCloseTimeout}).Run(ctx)
		})
	}
}

// serviceState notes how one half of a service is: its port, or its local port. A service that is down has one line in the log for each reason.
func (a *Agent) serviceState(s *service, half *error, err error) {
	attrs := []any{"service", s.cfg.Name, "service_port", s.cfg.Port}
	switch changed, err := a.noteService(s, half, err); {
	case changed && err == nil:
		a.log.Info("service-up", attrs...)
	case changed:
		a.log.Warn(codeNames[ServiceDown], append(attrs, "code", ServiceDown, "error", err)...)
	}
}

// noteService tells whether the service is down, and whether the log does not have that yet.
func (a *Agent) noteService(s *service, half *error, err error) (changed bool, down error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	*half = err
	list := a.status.Services
	i := 0 // in the order of their ports
	for i < len(list) && list[i].Port < s.cfg.Port {
		i++
	}
	known := i < len(list) && list[i].Port == s.cfg.Port
	if !known && half == &s.local { // there is no link
		return false, nil
	}
	if down = s.port; down == nil {
		down = s.local
	}
	now := ServiceStatus{Name: s.cfg.Name, Port: s.cfg.Port, Target: s.cfg.Target, Up: down == nil}
	if down != nil {
		now.Error = strconv.Quote(down.Error())
	}
	if known {
		list[i] = now
	} else {
		a.status.Services = slices.Insert(list, i, now)
	}
	changed, s.told = now.Error != s.told, now.Error
	return changed, down
}
