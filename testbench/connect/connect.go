// Package connect reaches one service of a device for as long as a technician needs it: it makes the port mapping, carries clients that know no
// TLS through a tunnel, starts the viewer where asked to, and removes the mapping at the end, however that comes.
package connect

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"os/exec"
	"time"

	"minato/relay/relayapi"
	"minato/testbench/access"
	"minato/testbench/tunnel"
)

// Config of a connection. Relay, SIM and Port are required.
type Config struct {
	Relay    *access.Relay
	SIM      string // SIM id or IMSI
	Port     int    // of the device
	TLS      bool   // the TLS option; a tunnel is opened when it is ON
	Accept   string // where the tunnel takes clients; "": a free port of 127.0.0.1
	Duration int    // seconds; 0: 1800
	Sources  []string

	Viewer []string // program and arguments, with {host} and {port} for where to connect; nil: none. When it ends, so does the connection
	// Start prepares the viewer's process; nil: exec.CommandContext.
	Start func(ctx context.Context, argv []string) *exec.Cmd

	Renew  <-chan struct{}          // each asks for another Duration; nil: never
	Open   func(Open)               // called once clients may come; nil: nobody is told
	Left   func(left time.Duration) // called about every second, and after a renewal; nil: nobody is told
	Logger *slog.Logger             // nil: silent
}

// Open is what a client needs to know.
type Open struct {
	Address  netip.AddrPort // where the client connects: the tunnel, or with the option OFF the mapping itself
	Mapping  relayapi.PortMapping
	Tunneled bool
}

// Run connects and stays until ctx ends, the viewer ends (nil), or something fails. An error is an *access.Problem where its cause is known.
func Run(ctx context.Context, cfg Config) (err error) {
	if cfg.Duration == 0 {
		cfg.Duration = 1800
	}
	if cfg.Start == nil {
		cfg.Start = func(ctx context.Context, argv []string) *exec.Cmd {
			return exec.CommandContext(ctx, argv[0], argv[1:]...)
		}
	}
	if err := FindViewer(cfg.Viewer); err != nil {
		return err
	}
	mappings := &access.Mappings{Relay: cfg.Relay}
	defer func() { err = errors.Join(err, mappings.Close(ctx)) }()
	m, err := cfg.makeMapping(ctx, mappings)
	if err != nil {
		return quiet(ctx, err)
	}
	if !cfg.TLS {
		address, err := netip.ParseAddrPort(m.Endpoint)
		if err != nil {
			return fmt.Errorf("the relay's answer has the endpoint %q: %w", m.Endpoint, err)
		}
		return quiet(ctx, cfg.stay(ctx, m, Open{Address: address, Mapping: *m}))
	}
	return quiet(ctx, cfg.throughTunnel(ctx, m))
}

// quiet is no error where ctx ended what failed.
func quiet(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// makeMapping makes it, and has the relay walk the way to the device, so that what cannot work is known before a client tries.
func (cfg *Config) makeMapping(ctx context.Context, mappings *access.Mappings) (*relayapi.PortMapping, error) {
	sim, err := cfg.Relay.ReadSIM(ctx, cfg.SIM)
	if err != nil {
		return nil, err
	}
	req := relayapi.CreatePortMappingRequest{Destination: relayapi.Destination{SIMID: sim.SIMID, Port: cfg.Port}, Duration: &cfg.Duration, TLSRequired: cfg.TLS}
	if cfg.Sources != nil {
		req.Source = &relayapi.Source{IPRanges: cfg.Sources}
	}
	m, err := mappings.Make(ctx, req)
	if err != nil {
		return nil, err
	}
	d, err := cfg.Relay.API.Diagnose(ctx, m.IPAddress, m.Port, "")
	if err != nil {
		return nil, cfg.Relay.Explain(err)
	}
	if !d.OK {
		p := access.FromReason(d.Code, d.Message, nil)
		if p.Cure == "" {
			p.Cure = "minato-testbench check looks at the whole path"
		}
		return nil, p
	}
	return m, nil
}

// throughTunnel runs the tunnel beside the stay. One connection is tried first, so that a certificate which is not trusted is told now.
func (cfg *Config) throughTunnel(ctx context.Context, m *relayapi.PortMapping) error {
	t, err := tunnel.New(tunnel.Config{Name: fmt.Sprintf("port %d", cfg.Port), Accept: cfg.Accept, Connect: m.Endpoint, ServerName: m.Hostname,
		RootCAs: cfg.Relay.Roots, Dial: cfg.Relay.Dial, Logger: cfg.Logger})
	if err != nil {
		return err
	}
	conn, err := t.Dial(ctx)
	if err != nil {
		return err
	}
	conn.Close()
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() { done <- t.Run(ctx) }() // ends with ctx
	defer func() { cancel(); <-done }()
	select {
	case <-t.Ready():
	case err := <-done:
		done <- nil
		return err
	}
	address, err := netip.ParseAddrPort(t.Addr().String())
	if err != nil {
		return err
	}
	return cfg.stay(ctx, m, Open{Address: address, Mapping: *m, Tunneled: true})
}

// errExpired is the end of a mapping's time.
var errExpired = &access.Problem{Code: "R13", Text: "the mapping's time is up", Cure: "start again; --duration asks for longer (seconds, at most 28800), and without --viewer Enter renews in time"}

// stay waits for the end, and says meanwhile how much time is left.
func (cfg *Config) stay(ctx context.Context, m *relayapi.PortMapping, open Open) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if cfg.Open != nil {
		cfg.Open(open)
	}
	viewer := make(chan error, 1)
	if len(cfg.Viewer) > 0 {
		cmd := cfg.Start(ctx, fill(cfg.Viewer, open.Address))
		if err := cmd.Start(); err != nil {
			return &access.Problem{Text: "the viewer does not start: " + err.Error(), Cure: "try it by hand with the address above", Err: err}
		}
		done := make(chan struct{})
		go func() { defer close(done); viewer <- cmd.Wait() }() // ends with the viewer, which ends with ctx
		defer func() { cancel(); <-done }()
	}
	// The relay's clock decides; ours may be another.
	ahead, _ := cfg.Relay.Ahead()
	end := time.UnixMilli(m.ExpiredTime).Add(ahead)
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		left := end.Sub(cfg.Relay.Now())
		if left <= 0 {
			return errExpired
		}
		if cfg.Left != nil {
			cfg.Left(left)
		}
		select {
		case <-ctx.Done():
			return nil
		case err := <-viewer:
			if err != nil {
				return &access.Problem{Text: "the viewer ended with " + err.Error(), Cure: "its own words say why", Err: err}
			}
			return nil
		case <-cfg.Renew:
			renewed, err := cfg.Relay.API.ExtendPortMapping(ctx, m.IPAddress, m.Port, cfg.Duration)
			if err != nil {
				return cfg.Relay.Explain(err)
			}
			end = time.UnixMilli(renewed.ExpiredTime).Add(ahead)
		case <-tick.C:
		}
	}
}
