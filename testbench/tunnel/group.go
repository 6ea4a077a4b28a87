package tunnel

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/sync/errgroup"
)

// Group runs several tunnels as one.
type Group struct {
	tunnels []*Tunnel
	ready   chan struct{}
}

// NewGroup makes a tunnel of each configuration.
func NewGroup(cfgs []Config) (*Group, error) {
	if len(cfgs) == 0 {
		return nil, errors.New("no service to run")
	}
	g := &Group{ready: make(chan struct{})}
	for _, cfg := range cfgs {
		t, err := New(cfg)
		if err != nil {
			if cfg.Name != "" {
				err = fmt.Errorf("service [%s]: %w", cfg.Name, err)
			}
			return nil, err
		}
		g.tunnels = append(g.tunnels, t)
	}
	return g, nil
}

// Tunnels are in the order of the configurations.
func (g *Group) Tunnels() []*Tunnel { return g.tunnels }

// Ready is closed once every port is open.
func (g *Group) Ready() <-chan struct{} { return g.ready }

// Run serves until ctx ends; when one tunnel fails, all end and its error, with its name, is returned.
func (g *Group) Run(ctx context.Context) error {
	eg, ctx := errgroup.WithContext(ctx)
	for _, t := range g.tunnels {
		eg.Go(func() error {
			if err := t.Run(ctx); err != nil {
				return fmt.Errorf("service [%s]: %w", t.Name(), err)
			}
			return nil
		})
	}
	eg.Go(func() error {
		for _, t := range g.tunnels {
			select {
			case <-t.Ready():
			case <-ctx.Done():
				return nil
			}
		}
		close(g.ready)
		return nil
	})
	return eg.Wait()
}
