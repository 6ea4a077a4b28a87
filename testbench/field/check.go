package field

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"time"

	"minato/relay/relayapi"
	"minato/testbench/access"
	"minato/testbench/report"
)

// mappingSeconds is how long the check's mappings last should nothing be able to remove them.
const mappingSeconds = 300

// Service is a protocol at a port of the device.
type Service struct {
	Protocol
	Port int
}

// ParseServices reads a list such as "vnc,http=8080": names of Protocols, with another port of the device where it is not the usual one.
func ParseServices(list []string) ([]Service, error) {
	var services []Service
	for _, item := range list {
		name, port, other := strings.Cut(item, "=")
		i := -1
		var names []string
		for j, p := range Protocols {
			names = append(names, p.Name)
			if p.Name == name {
				i = j
			}
		}
		if i < 0 {
			return nil, fmt.Errorf("service %q: want one of %s", name, strings.Join(names, ", "))
		}
		s := Service{Protocols[i], Protocols[i].Port}
		if other {
			n, err := strconv.ParseUint(port, 10, 16)
			if err != nil || n == 0 {
				return nil, fmt.Errorf("service %q: port %q: want a number from 1 to 65535", name, port)
			}
			s.Port = int(n)
		}
		services = append(services, s)
	}
	if len(services) == 0 {
		return nil, errors.New("no service to check")
	}
	return services, nil
}

// Config of a check. Relay, SIM and Services are required.
type Config struct {
	Relay    *access.Relay
	SIM      string // SIM id or IMSI
	Services []Service
	Sources  []string      // ranges that may connect; nil: this computer's address as the relay sees it
	Patience time.Duration // for one answer of the device; 0: 40 s, since the relay gives its radio 30 s to wake up
	Late     time.Duration // how much longer than the median an answer may take before it counts as lost; 0: 200 ms

	// Doctor asks the agent where the check runs on the device itself; nil: it does not.
	Doctor func(ctx context.Context) (said string, log []string, problem *access.Problem)
	// Progress gets each result as it comes; nil: nobody does.
	Progress func(report.Result)
}

// Check is one run. Make it with New, call Run once.
type Check struct {
	cfg      Config
	sim      relayapi.SIM
	mappings *access.Mappings
	seen     seenConnections
	services sync.WaitGroup // one for each target that is looked at
	targets  []*target

	privateCA *x509.CertPool // from the API, where this computer does not trust it; nil: not needed

	mu      sync.Mutex // guards results
	results []report.Result
}

// New checks the configuration.
func New(cfg Config) (*Check, error) {
	if cfg.Relay == nil || cfg.SIM == "" || len(cfg.Services) == 0 {
		return nil, errors.New("a relay, a SIM and a service are needed")
	}
	if cfg.Patience == 0 {
		cfg.Patience = 40 * time.Second
	}
	if cfg.Late == 0 {
		cfg.Late = late
	}
	c := &Check{cfg: cfg, mappings: &access.Mappings{Relay: cfg.Relay}}
	for _, s := range cfg.Services {
		c.targets = append(c.targets, &target{Service: s, check: c})
	}
	return c, nil
}

// step is one row of the report.
type step struct {
	name, doc string
	hops      []report.Hop
	essential bool // what follows needs it
	do        func(ctx context.Context, s *story) (said string, problem *access.Problem)
}

// Run checks everything and removes what it made. The run holds a result for each step also when ctx ends early; the error is then ctx's, or tells of a
// mapping that could not be removed.
func (c *Check) Run(ctx context.Context) (run report.Run, err error) {
	host, _ := os.Hostname()
	run = report.Run{Title: "Minato field check", Kind: "check", Started: time.Now(), SIM: c.cfg.SIM, Relay: c.cfg.Relay.URL,
		Machine: strings.TrimSpace(fmt.Sprintf("%s %s/%s", host, runtime.GOOS, runtime.GOARCH))}
	defer func() {
		c.services.Wait()
		if closeErr := c.mappings.Close(ctx); closeErr != nil {
			err = errors.Join(err, closeErr)
		}
		run.Results, run.Duration = c.results, time.Since(run.Started)
	}()
	blocked := ""
	for _, s := range c.steps() {
		if blocked != "" || ctx.Err() != nil {
			c.skip(s, blocked)
			continue
		}
		if problem := c.do(ctx, s); problem != nil && s.essential {
			blocked = s.name
		}
	}
	return run, context.Cause(ctx)
}

// steps in the order in which each needs those before it.
func (c *Check) steps() []step {
	steps := []step{
		{name: "relay", doc: "The relay's API answers.", hops: []report.Hop{report.HopClient, report.HopRelay}, essential: true, do: c.checkRelay},
		{name: "clock", doc: "This computer's clock agrees with the relay's.", hops: []report.Hop{report.HopClient}, do: c.checkClock},
		{name: "key", doc: "The relay takes the key.", hops: []report.Hop{report.HopRelay}, essential: true, do: c.checkKey},
		{name: "SIM", doc: "The device's SIM has a session.", hops: []report.Hop{report.HopNetwork}, essential: true, do: c.checkSIM},
	}
	if c.cfg.Doctor != nil { // beside the SIM, since it explains one that is offline
		i := len(steps) - 1
		steps = append(steps[:i:i], step{name: "agent", doc: "The agent on this device is well.", hops: []report.Hop{report.HopModem, report.HopDevice}, do: c.askDoctor}, steps[i])
	}
	steps = append(steps,
		step{name: "mappings", doc: "A mapping for each service is made.", hops: []report.Hop{report.HopRelay}, essential: true, do: c.makeMappings},
		step{name: "address", doc: "This computer's public address may connect.", hops: []report.Hop{report.HopClient}, do: c.checkAddress},
		step{name: "certificate", doc: "The certificate at the mappings is trusted here.", hops: []report.Hop{report.HopRelay}, do: c.checkCertificate})
	for _, t := range c.targets {
		steps = append(steps, step{name: t.Name, doc: "The device's " + t.Name + " is reached through a mapping.", hops: []report.Hop{report.HopDevice}, do: t.result})
	}
	return append(steps,
		step{name: "line", doc: "Round trip, loss and throughput.", hops: []report.Hop{report.HopModem}, do: c.measureLine},
		step{name: "wrong option", doc: "A client with the wrong TLS option is turned away in order, and the log says why.", hops: []report.Hop{report.HopRelay}, do: c.tryWrongOption})
}

// do makes one step's result.
func (c *Check) do(ctx context.Context, s step) *access.Problem {
	st := newStory()
	said, problem := s.do(ctx, st)
	r := report.Result{Name: s.name, Doc: said, Status: report.Pass, Duration: time.Since(st.began), Hops: s.hops}
	if said == "" {
		r.Doc = s.doc
	}
	switch {
	case problem != nil && ctx.Err() != nil:
		r.Status, r.Err, r.Doc = report.Skip, report.Interrupted, s.doc
	case problem == errNothing:
		r.Status, r.Err, r.Doc = report.Skip, problem.Text, s.doc
	case problem != nil:
		r.Status, r.Code, r.Err, r.Hint, r.Doc = report.Fail, problem.Code, problem.Text, problem.Cure, s.doc
		if problem.Err != nil && problem.Err.Error() != problem.Text {
			st.logf("seen: %v", problem.Err)
		}
	}
	r.Log, r.Values = st.lines(), st.values
	c.add(r)
	if r.Status != report.Fail {
		return nil
	}
	return problem
}

// errNothing skips a step that has nothing to look at.
var errNothing = &access.Problem{Text: "nothing to measure: no service is reached"}

func (c *Check) skip(s step, blocked string) {
	why := report.Interrupted
	if blocked != "" {
		why = "not looked at, since " + blocked + " failed"
	}
	c.add(report.Result{Name: s.name, Doc: s.doc, Status: report.Skip, Err: why, Hops: s.hops})
}

func (c *Check) add(r report.Result) {
	c.mu.Lock()
	c.results = append(c.results, r)
	c.mu.Unlock()
	if c.cfg.Progress != nil {
		c.cfg.Progress(r)
	}
}

// story is the log of one step, and what it measured.
type story struct {
	began  time.Time
	values report.Values // of the step's own goroutine
	mu     sync.Mutex
	log    []report.LogLine // guarded by mu
}

func newStory() *story { return &story{began: time.Now(), values: report.Values{}} }

func (s *story) logf(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.log = append(s.log, report.LogLine{At: time.Since(s.began), Text: fmt.Sprintf(format, args...)})
}

func (s *story) lines() []report.LogLine {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.log
}
