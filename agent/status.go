package agent

import (
	"context"
	"maps"
	"net"
	"net/netip"
	"runtime/debug"
	"slices"
	"time"

	"minato/agent/modem"
	"minato/agent/ppp"
)

// Status is what the agent knows of its modem, its link and its services.
type Status struct {
	Version string         `json:"version"` // of the agent
	State   State          `json:"state"`
	Since   time.Time      `json:"since"` // of State
	Rounds  int            `json:"rounds"`
	Failure *FailureStatus `json:"failure,omitempty"` // the last one, until a round has come past what failed

	Failures map[Code]int   `json:"failures,omitempty"` // since the start, by code
	Cures    map[string]int `json:"cures,omitempty"`    // done since the start, by step of the ladder
	Cure     string         `json:"cure,omitempty"`     // the last one that did more than redial
	Reset    time.Time      `json:"reset,omitzero"`     // when the modem was last restarted by the ladder

	Port         string          `json:"port"`
	Modem        *modem.Identity `json:"modem,omitempty"`
	SIM          string          `json:"sim,omitempty"`
	ICCID        string          `json:"iccid,omitempty"`
	IMSI         string          `json:"imsi,omitempty"`
	Registration string          `json:"registration,omitempty"`
	AcT          string          `json:"act,omitempty"`
	Operator     string          `json:"operator,omitempty"`
	APN          string          `json:"apn,omitempty"`
	Signal       *modem.Signal   `json:"signal,omitempty"`

	SignalHistory []SignalSample `json:"signal_history,omitempty"` // of the last hour of links

	Link      string       `json:"link"`                // netstack, tun or host
	Interface string       `json:"interface,omitempty"` // of tun and host
	Address   netip.Addr   `json:"address,omitzero"`
	DNS       []netip.Addr `json:"dns,omitempty"`
	MTU       int          `json:"mtu,omitempty"`
	Connected time.Time    `json:"connected,omitzero"`       // since when there is an address
	SetUp     float64      `json:"set_up_seconds,omitempty"` // from the round's begin to reachable services
	PPP       *ppp.Stats   `json:"ppp,omitempty"`
	Probe     *ProbeStatus `json:"probe,omitempty"`

	Services []ServiceStatus `json:"services,omitempty"`
	Forwards []GatewayStatus `json:"forwards,omitempty"`

	stats func() ppp.Stats
	dial  func(ctx context.Context, network, address string) (net.Conn, error) // through the link's stack
}

// Version is what Go noted of the build: a tag, or a commit and its time.
func Version() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(devel)"
}

// FailureStatus is a Failure for other programs.
type FailureStatus struct {
	Code    Code      `json:"code"`
	Name    string    `json:"name"`
	State   State     `json:"state"`
	Class   Class     `json:"class"`
	Message string    `json:"message"`
	Hint    string    `json:"hint,omitempty"`
	At      time.Time `json:"at"`
	RetryIn float64   `json:"retry_in_seconds"`
	Cure    string    `json:"cure"` // what is done then
}

// ServiceStatus is one listed service.
type ServiceStatus struct {
	Name   string `json:"name"`
	Port   int    `json:"port"`
	Target string `json:"target"`
	Up     bool   `json:"up"`
	Error  string `json:"error,omitempty"`

	Active  int64  `json:"active"`  // connections
	Total   uint64 `json:"total"`   // since the start
	Refused uint64 `json:"refused"` // over the limit, since the start
}

// Status tells how things stand now.
func (a *Agent) Status() Status {
	a.mu.Lock()
	defer a.mu.Unlock()
	s := a.status
	s.DNS = slices.Clone(s.DNS)
	s.Failures, s.Cures = maps.Clone(s.Failures), maps.Clone(s.Cures)
	s.Reset = a.ladder.state.resets().Last
	s.Services, s.SignalHistory = slices.Clone(s.Services), slices.Clone(s.SignalHistory)
	for i := range s.Services {
		for _, sv := range a.services {
			if st := &s.Services[i]; sv.cfg.Port == st.Port {
				st.Active, st.Total, st.Refused = sv.active.Load(), sv.total.Load(), sv.refused.Load()
			}
		}
	}
	s.Forwards = slices.Clone(s.Forwards)
	for i, g := range a.gateways {
		s.Forwards[i].Active, s.Forwards[i].Total, s.Forwards[i].Refused = g.active.Load(), g.total.Load(), g.refused.Load()
	}
	if s.stats != nil {
		stats := s.stats()
		s.PPP = &stats
	}
	return s
}

func (s *Status) linkUp(l *link, mtu int) {
	s.Address, s.DNS, s.MTU, s.Connected = l.addr, l.dns, mtu, time.Now()
	s.dial = l.network.DialContext
	if l.conn != nil {
		s.stats = l.conn.Stats
	}
}

func (s *Status) linkDown() {
	s.Address, s.DNS, s.MTU, s.Connected, s.SetUp, s.stats, s.dial = netip.Addr{}, nil, 0, time.Time{}, 0, nil, nil
	s.Services, s.Probe = nil, nil
}

// overcome is the state behind which a failure is past.
func overcome(f *FailureStatus) State {
	i := failedStage(f)
	switch {
	case i == len(stages):
		return StateOnline
	case f.Code == WeakSignal: // that is why it did not register
		return StateRegistered
	}
	return stages[i].until
}

// forget drops how a modem that does not answer any more, or has lost its SIM, once stood: nobody could tell it from how it stands. Who modem
// and SIM are stays.
func (s *Status) forget(cause Code) {
	switch cause {
	case NoModem:
		s.SIM = ""
	case SIM: // which was asked in this round
	default:
		return
	}
	s.Registration, s.AcT, s.Operator, s.Signal = "", "", "", nil
}

func (s *Status) setRegistration(r modem.Registration) {
	s.Registration, s.AcT = r.Stat.String(), ""
	if r.AcT >= 0 {
		s.AcT = r.AcT.String()
	}
}

// online reports that the services can be reached.
func (a *Agent) online(took time.Duration) {
	a.update(func(s *Status) {
		s.State, s.Since, s.Failure, s.SetUp = StateOnline, time.Now(), nil, took.Seconds()
	})
	st := a.Status()
	a.log.Info("online", "address", st.Address, "dns", st.DNS, "mtu", st.MTU, "services", len(st.Services), "took", took.Round(time.Millisecond))
	a.readyOnce.Do(func() { close(a.ready) })
}
