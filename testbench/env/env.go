// Package env builds the whole path for one scenario: emulator, agent and relay, in this process or as separate programs, an internet
// side with several clients, and the steps that a story is told in.
package env

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"sync"
	"time"

	"minato/emulator"
	"minato/relay"
	"minato/testbench/access"
)

// Config of an environment. Dir is required.
type Config struct {
	Dir      string       // captures, configurations and logs go here; made when absent
	Net      Net          // "": Kernel
	Logger   *slog.Logger // nil: silent
	Programs bool         // run emulator, relay and agent as separate programs from Bin; Kernel only
	Bin      string       // directory of the built programs; "": bin in the repository
	Agent    []string     // run the agent alone as this program, "run -c FILE" appended; nil: in this process
	NoAgent  bool         // start no agent: the story has one elsewhere

	Services []Service // of the device's host, beside the built-in targets
	NoParts  bool      // start nothing but the internet side: the story starts the programs itself
	Fixed    bool      // the documented default addresses, as a user's own system has them, rather than free ones

	VNCPassword string // of the device's screen; "": none asked

	Cloud     func(net.Conn)         // a service of the closed network, which devices reach; the agent has a forward and a SOCKS5 port to it; nil: none
	Devices   int                    // modems, each with a SIM and an agent; 0: 1. More than one only in this process
	AgentMore string                 // more of the agent's configuration, YAML of its top level; "": none
	Relay     func(*relay.Config)    // changes the relay of this process before it starts; nil: the usual one
	Emulator  func(*emulator.Config) // and the emulator of this process
	Seed      uint64                 // of what a story leaves to chance
}

// Service is a local TCP service of the device, which the agent offers on Port.
type Service struct {
	Name   string
	Port   uint16
	Addr   string         // HOST:PORT where a program of this machine serves it; "": Handle does
	Handle func(net.Conn) // the connection is closed after it returns
}

// Env is a running environment. Make it with Start, end it with Close.
type Env struct {
	Config
	Internet Internet
	Address  Addresses
	SSHKey   SSHKey // that may log in to the device as user "field"

	log    *slog.Logger
	ctx    context.Context // ends with the environment; its cause is the part that failed
	cancel context.CancelCauseFunc
	stops  []func() error          // in the order of starting
	parts  map[string]func() error // ends a part of this process, by its name; guarded by the story being one goroutine

	mu           sync.Mutex // guards client and firstMapping
	client       map[int]*Client
	firstMapping netip.AddrPort

	key    access.Key // the relay printed it at its first start
	local  []localService
	modems []modemPorts
	cloud  string // where Config.Cloud listens; "": there is none
	sims   []SIM

	timeline     *timeline // nil until the emulator runs
	secrets      secrets
	afterCapture []func() error
}

// Addresses are where the parts of a running environment are reached.
type Addresses struct {
	Control             string // the emulator's control API, HOST:PORT
	SOCKS               string // the door into the closed network
	API                 string // the relay's
	AT, PPP             string // the modem's ports
	Forward, AgentSOCKS string // local ports of the device that lead into the closed network; "" without Config.Cloud
	Status              string // the agent's socket
}

// modemPorts are the two ports of one modem.
type modemPorts struct{ at, ppp string }

// StopTimeout bounds the end of each part.
const StopTimeout = 20 * time.Second

// Start builds the environment and waits until the device is online. On failure nothing is left running.
func Start(ctx context.Context, cfg Config) (_ *Env, err error) {
	if cfg.Net == "" {
		cfg.Net = Kernel
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.Dir, err = filepath.Abs(cfg.Dir); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(cfg.Dir, 0o755); err != nil {
		return nil, fmt.Errorf("making the environment's directory: %w", err)
	}
	e := &Env{Config: cfg, log: cfg.Logger, client: map[int]*Client{}, parts: map[string]func() error{}}
	e.ctx, e.cancel = context.WithCancelCause(context.WithoutCancel(ctx))
	defer func() {
		if err != nil {
			err = errors.Join(err, e.Close())
		}
	}()
	if err := e.startInternet(); err != nil {
		return nil, fmt.Errorf("starting the internet side: %w", err)
	}
	if cfg.NoParts {
		return e, nil
	}
	if e.SSHKey, err = sshKey(cfg.Dir); err != nil {
		return nil, err
	}
	for _, s := range cfg.Services {
		if err := e.startService(s); err != nil {
			return nil, err
		}
	}
	if cfg.Cloud != nil {
		if err := e.startCloud(); err != nil {
			return nil, err
		}
	}
	starters := []func(context.Context) error{e.startEmulator, e.startRelay, e.startAgents}
	if cfg.Programs {
		starters = []func(context.Context) error{e.startEmulatorProgram, e.startRelayProgram, e.startAgentProgram}
	} else if cfg.Agent != nil {
		starters[2] = e.startAgentProgram
	}
	if cfg.NoAgent {
		starters = starters[:2]
	}
	for i, start := range starters {
		if err := start(ctx); err != nil {
			return nil, err
		}
		if i == 0 {
			e.startTimeline()
		}
	}
	return e, nil
}

// Close ends every part, the last started first, and says what did not end well.
func (e *Env) Close() error {
	var err error
	e.timeline.stop() // before the end of the parts, which is no part of the story
	for i := len(e.stops) - 1; i >= 0; i-- {
		err = errors.Join(err, e.stops[i]())
	}
	e.stops = nil
	if e.Internet != nil && e.Internet.Capture() != "" {
		err = errors.Join(err, e.secrets.addTo(e.Internet.Capture()))
	}
	e.cancel(context.Canceled)
	return err
}

// Context ends when ctx does, or when a part of the environment fails; its cause says which.
func (e *Env) Context(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	stop := context.AfterFunc(e.ctx, func() { cancel(context.Cause(e.ctx)) })
	return ctx, func() { stop(); cancel(context.Canceled) }
}

// run starts a part of this process and waits until it is ready.
func (e *Env) run(ctx context.Context, name string, ready <-chan struct{}, run func(context.Context) error) error {
	partCtx, cancel := context.WithCancel(context.WithoutCancel(e.ctx))
	done := make(chan struct{})
	var ended error
	go func() {
		defer close(done)
		ended = run(partCtx)
		if partCtx.Err() == nil {
			e.cancel(fmt.Errorf("the %s ended by itself: %w", name, errors.Join(ended, context.Canceled)))
		}
	}()
	stop := sync.OnceValue(func() error {
		cancel()
		select {
		case <-done:
		case <-time.After(StopTimeout):
			return fmt.Errorf("the %s did not end within %s", name, StopTimeout)
		}
		if ended != nil {
			return fmt.Errorf("the %s: %w", name, ended)
		}
		return nil
	})
	e.parts[name] = stop
	e.stops = append(e.stops, stop)
	select {
	case <-ready:
		return nil
	case <-done:
		e.stops = e.stops[:len(e.stops)-1] // it has ended, and would say the same once more
		return fmt.Errorf("the %s ended before it was ready: %w", name, ended)
	case <-ctx.Done():
		return fmt.Errorf("waiting for the %s: %w", name, context.Cause(ctx))
	}
}
