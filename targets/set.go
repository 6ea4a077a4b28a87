package targets

import (
	"context"
	"fmt"
	"log/slog"
	"sync"

	"golang.org/x/sync/errgroup"

	"minato/targets/panel"
	"minato/targets/plc"
	"minato/targets/rfb"
	"minato/targets/sshd"
	"minato/targets/web"
)

const defaultName = "minato"

// Set is the services around one simulated plant. Make it with New and call Run once (it moves the plant and the screen).
type Set struct {
	plant    *plc.Plant
	panel    *panel.Panel
	services map[string]Service
	ready    chan struct{}
	once     sync.Once
}

// New makes every service; none listens before its Serve.
func New(cfg Config) (*Set, error) {
	if cfg.Name == "" {
		cfg.Name = defaultName
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	plant := plc.New(plc.Config{})
	screen, err := panel.New(panel.Config{Name: cfg.Name, Plant: plant, Signal: cfg.Signal, Logger: cfg.Logger})
	if err != nil {
		return nil, err
	}
	s := &Set{plant: plant, panel: screen, services: make(map[string]Service), ready: make(chan struct{})}
	for name, construct := range constructors {
		if name == "https" && !cfg.HTTPS {
			continue
		}
		cfg := cfg
		cfg.Logger = cfg.Logger.With("service", name)
		if s.services[name], err = construct(s, cfg); err != nil {
			return nil, fmt.Errorf("making service %s: %w", name, err)
		}
	}
	return s, nil
}

// constructors is every service by name.
var constructors = map[string]func(*Set, Config) (Service, error){
	"http": func(s *Set, cfg Config) (Service, error) {
		return web.NewServer(web.Config{Name: cfg.Name, Plant: s.plant, Logger: cfg.Logger})
	},
	"https": func(s *Set, cfg Config) (Service, error) {
		tls, err := web.SelfSigned(cfg.Name)
		if err != nil {
			return nil, err
		}
		return web.NewServer(web.Config{Name: cfg.Name, Plant: s.plant, TLS: tls, Logger: cfg.Logger})
	},
	"modbus": func(s *Set, cfg Config) (Service, error) {
		return plc.NewServer(plc.ServerConfig{Units: plc.Units(s.plant), Logger: cfg.Logger}), nil
	},
	"vnc": func(s *Set, cfg Config) (Service, error) {
		server, err := rfb.NewServer(rfb.Config{
			Name: cfg.Name, Framebuffer: s.panel.Framebuffer(), Password: cfg.VNCPassword, Cursor: panel.Cursor(),
			OnKey: s.panel.OnKey, OnPointer: s.panel.OnPointer, OnCutText: s.panel.OnCutText, Logger: cfg.Logger,
		})
		if err != nil {
			return nil, err
		}
		s.panel.OnCopy(server.CutText)
		return server, nil
	},
	"ssh": func(s *Set, cfg Config) (Service, error) {
		return sshd.NewServer(sshd.Config{
			Name: cfg.Name, Plant: s.plant, Dial: cfg.Dial, Logger: cfg.Logger,
			HostKeyFile: cfg.SSH.HostKeyFile, AuthorizedKeys: cfg.SSH.AuthorizedKeys, Passwords: cfg.SSH.Passwords, Shell: cfg.SSH.Shell,
		})
	},
}

// Run moves the plant, and draws the screen while somebody watches, until ctx ends.
func (s *Set) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return s.plant.Run(ctx) })
	g.Go(func() error { return s.panel.Run(ctx) })
	s.once.Do(func() { close(s.ready) })
	return g.Wait()
}

// Ready is closed when Run has begun. Services may be served before, and then show a plant at rest.
func (s *Set) Ready() <-chan struct{} { return s.ready }

// Service gives "http", "https", "modbus", "vnc" or "ssh"; nil for another name, and for "https" without Config.HTTPS.
func (s *Set) Service(name string) Service {
	if service, ok := s.services[name]; ok {
		return service
	}
	return nil
}

// Plant is what the services show; for who wants to look at it directly.
func (s *Set) Plant() *plc.Plant { return s.plant }
