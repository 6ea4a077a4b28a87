package agent

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
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
			s.target = localPort{t.address, sc.ProxyProtocol}
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
			r.agent.serviceState(s, nil)
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
	return &limitListener{Listener: listener, service: s}, nil
}

// keepServing serves until the link ends. A service that fails, or whose port could not be opened, is told of once for each reason, and
// tried again; the others go on.
func (a *Agent) keepServing(l *link, s *service, listener net.Listener, err error) {
	told := ""
	for l.ctx.Err() == nil {
		if err == nil {
			told = ""
			err = s.target.Serve(l.ctx, listener)
			listener.Close()
			if l.ctx.Err() != nil {
				return
			}
			if err == nil {
				err = fmt.Errorf("service %q ended by itself", s.cfg.Name)
			}
		}
		a.serviceState(s, err)
		if told != err.Error() {
			told = err.Error()
			a.log.Warn(codeNames[ServiceDown], "code", ServiceDown, "service", s.cfg.Name, "service_port", s.cfg.Port, "error", err)
		}
		if !pauseUntil(l.ctx, a.timing.service) {
			return
		}
		if listener, err = l.listen(s); err == nil {
			a.serviceState(s, nil)
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
	proxy   bool // tell it the client by the PROXY protocol
}

const (
	localDialTimeout  = 5 * time.Second
	localCloseTimeout = time.Minute // for the other way, when one side has ended
)

func (p localPort) dial(ctx context.Context) (net.Conn, error) {
	d := net.Dialer{Timeout: localDialTimeout}
	return d.DialContext(ctx, "tcp", p.address)
}

// Serve implements targets.Service: it copies each connection to the local port, both ways, with half-close.
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
				client.Close()
				return
			}
			if p.proxy {
				local.SetWriteDeadline(time.Now().Add(localDialTimeout))
				_, err := local.Write(proxyHeader(client.RemoteAddr(), client.LocalAddr()))
				if err != nil {
					client.Close()
					local.Close()
					return
				}
				local.SetWriteDeadline(time.Time{})
			}
			splice.New(client, local, splice.Config{CloseTimeout: localCloseTimeout}).Run(ctx)
		})
	}
}

func (s *service) status() ServiceStatus {
	return ServiceStatus{Name: s.cfg.Name, Port: s.cfg.Port, Target: s.cfg.Target}
}

// serviceState notes whether a service can be reached.
func (a *Agent) serviceState(s *service, err error) {
	a.update(func(st *Status) {
		for i := range st.Services {
			if st.Services[i].Port == s.cfg.Port {
				st.Services = append(st.Services[:i:i], st.Services[i+1:]...)
				break
			}
		}
		now := s.status()
		now.Up = err == nil
		if err != nil {
			now.Error = strconv.Quote(err.Error())
		}
		st.Services = append(st.Services, now)
	})
}
