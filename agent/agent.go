package agent

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"minato/agent/hostnet"
	"minato/agent/modem"
	"minato/targets"
)

// Agent keeps one modem online. Make it with New and call Run once.
type Agent struct {
	cfg      Config
	log      *slog.Logger
	set      *targets.Set // nil: no service is a builtin one
	services []*service
	gateways []*gateway
	onStatus places // the status port's connections
	guard    *modem.PINGuard
	ladder   ladder
	undo     *hostnet.Undo // of link: tun, while Run runs
	booting  time.Time     // the modem was restarted, and may be away until then; the supervisor's
	unready  time.Time     // since when the port is there and not to be used; zero: it is not so; the supervisor's
	baud     int           // the modem's speed, once it was found; the supervisor's
	proven   bool          // the configuration was good once; the supervisor's
	doubts   int           // about a probe that was never answered; the probe's, of which one runs at a time
	timing   timing

	due atomic.Int64 // nanoseconds since processStart: when the supervisor is late; 0: never

	ready     chan struct{}
	readyOnce sync.Once

	mu      sync.Mutex // guards what follows
	status  Status
	session *session // while the port is open
}

// New checks the configuration and prepares the services. Nothing is opened.
func New(cfg Config) (*Agent, error) {
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("configuring the agent: %w", err)
	}
	cfg.setDefaults()
	if cfg.Link == LinkTUN && cfg.StateDir == "" {
		return nil, fmt.Errorf("configuring the agent: %w", &FieldError{"state_dir", "", "link: tun needs it: what the link changes in the system is noted there, to be restored"})
	}
	state, err := openState(cfg.StateDir)
	if err != nil {
		cfg.Logger.Warn("the state of earlier runs is lost", "error", err)
	}
	if err := cfg.Cures.CheckPowerCycle(); err != nil {
		cfg.Logger.Warn("the modem's power cannot be switched", "error", err)
	}
	a := newAgent(cfg, state)
	if err := a.prepareServices(); err != nil {
		return nil, fmt.Errorf("configuring the agent: %w", err)
	}
	a.prepareGateways()
	return a, nil
}

// CheckHere tells what New would refuse on this machine, and makes nothing. Whether there is a StateDir is left to New: the service manager may
// give it.
func (c Config) CheckHere() error {
	if err := c.Validate(); err != nil {
		return err
	}
	c.setDefaults()
	c.Targets.SSH.HostKeyFile = ""
	return newAgent(c, &stateFile{}).prepareServices()
}

// newAgent makes an agent without services of a configuration with its defaults.
func newAgent(cfg Config, state *stateFile) *Agent {
	a := &Agent{cfg: cfg, log: cfg.Logger, guard: modem.NewPINGuard(state), timing: defaultTiming().faster(cfg.Haste), ready: make(chan struct{})}
	a.onStatus = newPlaces(defaultConnections, a.log.With("status_port", cfg.StatusPort))
	a.ladder = ladder{backoff: cfg.Backoff, cures: cfg.Cures, rand: cfg.Rand, now: time.Now, state: state}
	a.status = Status{Version: Version(), State: StateIdle, Since: time.Now(), Port: cfg.Modem.Port, APN: cfg.Network.APN, Link: cfg.Link, Cures: map[string]int{}, Failures: map[Code]int{}}
	switch cfg.Link {
	case LinkTUN:
		a.status.Interface = cfg.TUN.Name
	case LinkHost:
		a.status.Interface = cfg.Host.Interface
		a.timing.deadlines[StateIP] = hostAddress
	}
	return a
}

// Ready is closed when the services can be reached for the first time.
func (a *Agent) Ready() <-chan struct{} { return a.ready }

// Run keeps the device online until ctx ends; then it ends PPP, hangs up, and returns nil. It returns an error when something that
// no retry can cure fails: another agent has the status socket, or the sample services.
func (a *Agent) Run(ctx context.Context) error {
	if err := a.openSystem(); err != nil {
		return part("link", err)
	}
	defer a.closeSystem()
	g, ctx := errgroup.WithContext(ctx)
	if a.set != nil {
		g.Go(func() error { return part("targets", a.set.Run(ctx)) })
	}
	if a.cfg.StatusSocket != "" {
		g.Go(func() error { return part("status socket", a.keepStatus(ctx)) })
	}
	if a.cfg.Metrics != "" {
		g.Go(func() error { a.keepMetrics(ctx); return nil })
	}
	g.Go(func() error { a.notify(ctx); return nil })
	for _, gw := range a.gateways {
		g.Go(func() error { gw.run(ctx); return nil })
	}
	g.Go(func() error { a.supervise(ctx); return nil })
	return g.Wait()
}

func part(name string, err error) error {
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// supervise goes through rounds until ctx ends.
func (a *Agent) supervise(ctx context.Context) {
	defer a.closeSession()
	failures := 0
	for ctx.Err() == nil {
		r := &round{agent: a}
		up, f := r.run(ctx)
		if ctx.Err() != nil {
			break
		}
		if failures++; up > 0 {
			failures = 0
		}
		if r.spoiled(f) || failures >= reopenAfter {
			a.closeSession()
			failures = 0
		}
		a.proven = a.proven || up > 0
		if a.proven && (f.Code == NoContext || f.Code == PPPAuth) {
			f.Class = ClassBackOff // what the network took before it will take again
		}
		pause, cure := bootPause, CureRedial
		if !a.isUnready(f) && !a.isBooting(f) {
			pause, cure = a.ladder.next(up, f)
		}
		a.failed(f, pause, cure)
		a.busyUntil(pause)
		select {
		case <-a.cfg.After(pause):
			a.cure(ctx, cure)
		case <-ctx.Done():
		}
	}
	a.enter(StateIdle)
}

// reopenAfter is how many rounds may fail on an open port before it is closed and begun with from the start.
const reopenAfter = 3

// failed reports the end of a round: one line.
func (a *Agent) failed(f *Failure, pause time.Duration, cure Cure) {
	attrs := []any{"code", f.Code, "state", f.State, "class", f.Class, "error", f.Err.Error(), "retry_in", pause.Round(time.Millisecond), "cure", cure}
	if f.Hint != "" {
		attrs = append(attrs, "hint", f.Hint)
	}
	a.log.Warn(codeNames[f.Code], attrs...)
	a.update(func(s *Status) {
		s.State, s.Since = StateIdle, time.Now()
		s.Failure = &FailureStatus{Code: f.Code, Name: codeNames[f.Code], State: f.State, Class: f.Class, Message: f.Err.Error(), Hint: f.Hint, At: time.Now(), RetryIn: pause.Seconds(), Cure: cure.String()}
		s.Failures[f.Code]++
		s.linkDown()
		s.forget(f.Code)
	})
}

// enter notes a new state. A failure that this round has left behind is no longer how things stand.
func (a *Agent) enter(s State) {
	a.log.Info("state", "state", s)
	a.update(func(st *Status) {
		st.State, st.Since = s, time.Now()
		if st.Failure != nil && s > overcome(st.Failure) {
			st.Failure = nil
		}
	})
}

func (a *Agent) update(change func(*Status)) {
	a.mu.Lock()
	defer a.mu.Unlock()
	change(&a.status)
}
