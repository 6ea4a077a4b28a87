//go:build linux

package bench

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"
)

// Config of a run.
type Config struct {
	Bin      string    // folder of minato-relay; required
	Dir      string    // for sockets, keys and state while it runs; required
	Rounds   int       // 0: 5
	Only     []string  // names of measures; nil: all
	Progress io.Writer // a line for each step; nil: none

	load load // zero: fullLoad
}

// Run measures everything and returns what it found. A peer that is not installed is an error that names its package.
func Run(ctx context.Context, cfg Config) (Result, error) {
	cfg.Rounds, cfg.load = cmp.Or(cfg.Rounds, 5), cmp.Or(cfg.load, fullLoad)
	if cfg.Progress == nil {
		cfg.Progress = io.Discard
	}
	peers, err := findPeers(cfg.Bin)
	if err != nil {
		return Result{}, err
	}
	chosen, err := chooseMeasures(cfg.Only)
	if err != nil {
		return Result{}, err
	}
	if err := os.MkdirAll(cfg.Dir, 0o755); err != nil {
		return Result{}, err
	}
	s, err := newStand(cfg.Dir, cfg.load)
	if err != nil {
		return Result{}, err
	}
	defer s.close()
	result := Result{Started: time.Now().UTC().Truncate(time.Second), Rounds: cfg.Rounds, Peers: versions(ctx, peers)}
	for _, m := range chosen {
		if err := m.rounds(ctx, cfg, s, peers, &result); err != nil {
			return Result{}, fmt.Errorf("measuring %s: %w", m.name, err)
		}
	}
	return result, nil
}

// A measure is one way to load a proxy, and the figures that this gives.
type measure struct {
	name    string
	figures []figure
	on      func(*peer) bool // which peers can do it
	run     func(context.Context, *stand, *proxy) ([]float64, error)
}

// A figure is one number that a measure gives; less is better in all of them.
type figure struct {
	name    string
	unit    string
	limit   float64 // most that the relay's may be, as a ratio to that of against; 0: only printed
	against string  // a peer's name, or bestPeer
}

const bestPeer = "the best peer"

var measures = []measure{
	{"tls-down", []figure{{"TLS 1.3, device to client", "CPU s/GB", 0.9, bestPeer}}, everyone, tlsDown},
	{"tls-up", []figure{{"TLS 1.3, client to device", "CPU s/GB", 0.9, bestPeer}}, everyone, tlsUp},
	{"plain-down", []figure{{"option OFF, device to client", "CPU s/GB", 0.5, bestPeer}}, passesPlain, plainDown},
	{"plain-up", []figure{{"option OFF, client to device", "CPU s/GB", 0.5, bestPeer}}, passesPlain, plainUp},
	{"connect", []figure{{"TLS 1.3 connection, X25519", "CPU ms", 1.0, bestPeer}}, everyone, connectX25519},
	{"connect-mlkem", []figure{{"TLS 1.3 connection, X25519MLKEM768", "CPU ms", 0, bestPeer}}, knowsMLKEM, connectMLKEM},
	{"idle", []figure{{"idle TLS connection", "KB", 1.0, "haproxy"}}, everyone, idle},
	{"latency", []figure{{"added latency, p50", "us", 1.1, "haproxy"}, {"added latency, p99", "us", 1.1, "haproxy"}}, everyone, latency},
}

func everyone(*peer) bool      { return true }
func passesPlain(p *peer) bool { return p.plain }
func knowsMLKEM(p *peer) bool  { return p.mlkem }

// Measures are the names that Config.Only takes.
func Measures() (names []string) {
	for _, m := range measures {
		names = append(names, m.name)
	}
	return names
}

func chooseMeasures(only []string) ([]measure, error) {
	for _, name := range only {
		if !slices.Contains(Measures(), name) {
			return nil, fmt.Errorf("measure %q is not known: they are %q", name, Measures())
		}
	}
	return slices.DeleteFunc(slices.Clone(measures), func(m measure) bool {
		return len(only) > 0 && !slices.Contains(only, m.name)
	}), nil
}

// rounds lets the peers take turns.
func (m *measure) rounds(ctx context.Context, cfg Config, s *stand, peers []*peer, result *Result) error {
	peers = slices.DeleteFunc(slices.Clone(peers), func(p *peer) bool { return !m.on(p) })
	values := make([]map[string][]float64, len(m.figures))
	for i := range values {
		values[i] = map[string][]float64{}
	}
	for round := range cfg.Rounds {
		for _, p := range peers {
			got, err := m.one(ctx, s, p)
			if err != nil {
				return fmt.Errorf("round %d of %s: %w", round+1, p.name, err)
			}
			for i, v := range got {
				values[i][p.name] = append(values[i][p.name], v)
				fmt.Fprintf(cfg.Progress, "round %d of %d  %-36s %-8s %10.3f %s\n", round+1, cfg.Rounds, m.figures[i].name, p.name, v, m.figures[i].unit)
			}
		}
	}
	for i, f := range m.figures {
		result.Figures = append(result.Figures, compare(f, values[i]))
	}
	return nil
}

// one measures one peer in a process that starts for it.
func (m *measure) one(ctx context.Context, s *stand, p *peer) (got []float64, err error) {
	proxy, err := s.start(ctx, p)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, proxy.stop()) }()
	return m.run(ctx, s, proxy)
}
