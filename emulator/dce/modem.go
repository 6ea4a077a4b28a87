package dce

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"minato/agent/ppp"
	"minato/emulator/core"
	"minato/emulator/sms"
)

// Network is the closed network as a modem's radio sees it. Its errors are a *core.Reject where the network says no.
type Network interface {
	Attach(imsi, imei string) (apn string, err error)        // apn is the SIM's own
	DefaultBearer(r core.ActivateRequest) (ppp.Lease, error) // that comes with the attach
	Detach(imsi string)
	Activate(ctx context.Context, r core.ActivateRequest) (Session, error)
}

// Session is a PDN connection. *core.Session is one.
type Session interface {
	Lease() ppp.Lease
	Gather(packet []byte)
	Flush()
	Attach(downlink func(packets [][]byte) error)
	Done() <-chan struct{}
	Reason() string
	Close(reason string)
}

var _ Session = (*core.Session)(nil)

// Config describes one modem.
type Config struct {
	Personality *Personality // nil: DefaultPersonality
	Network     Network      // must be set
	Centre      *sms.Centre  // the network's short message service; nil: it has none
	SIM         SIMCard
	IMEI        string           // "": the personality's first
	Cell        Cell             // zero: DefaultCell; otherwise all of it counts
	Delay       float64          // 1: as slow as the real modem; 0: no delays
	UART        bool             // wired by a serial line, whatever the personality says: +IPR matters
	Now         func() time.Time // the network's clock; nil: time.Now
	Observe     func(Event)      // told what happens to the modem, from many goroutines; must not block; nil: nobody is
	// CapturePPP gives, for each data call and direction, a writer that is told the call's octets as the modem hears and says them; nil, or
	// a nil writer: nobody is.
	CapturePPP func(core.Direction) io.Writer
	Logger     *slog.Logger // nil: silent
}

// Modem is the state that all ports of one modem share.
//
// Locks: radio serialises what talks to the network (attach, detach, activation); mu guards the fields and is never held while calling out.
type Modem struct {
	personality *Personality
	network     Network
	centre      *sms.Centre // nil: none
	imei        string
	cell        Cell
	delay       float64
	carrierHold time.Duration
	uart        bool // the personality's, or wanted
	now         func() time.Time
	log         *slog.Logger
	table       map[string]*command
	names       []string // of table, in order, for +CLAC

	air    air
	radio  sync.Mutex
	kick   chan struct{} // buffered: Run has something to look at
	ready  chan struct{} // closed when commands are heard for the first time
	spawns sync.WaitGroup

	hooks     stack[Hook]
	pppFaults stack[func(*ppp.Faults)]
	observe   func(Event)
	capture   func(core.Direction) io.Writer // nil: none
	traffic   traffic

	mu        sync.Mutex
	ports     map[*port]struct{}
	stopped   bool
	booting   bool // deaf until RDY
	looked    int  // at so many boot steps whether they are said; all: the boot is over
	waking    bool // the card was switched on again, and this is yet to be told: no network is looked for before
	leaving   bool // it is switching itself off
	restart   bool // Run is to boot again
	functions int  // +CFUN
	sim       simState
	locks     []*laidLock // by faults, the latest last
	reg       registration
	turned    chan struct{} // closed when reg.stat or what it hangs on turns; another takes its place
	signal    Signal
	cops      operatorSelection
	contexts  map[int]*pdpContext
	bearer    ppp.Lease // the default bearer's, which comes with an attach; zero: there is none
	gerep     eventReporting
	cmer      [5]int // +CMER
	indicated []int  // values of +CIND that were told
	clock     clock
	voice     voiceCall
	ussd      int // +CUSD
	urcTo     string
	urcDLCI   int               // of a multiplexer; 0: no channel is named
	lastCause string            // +CEER
	values    map[string]string // of the personality's settings
	factory   []func()          // what AT&F sets back
	unstored  *profile          // what Z gives before AT&W
	stored    map[int]*profile  // AT&W, by number
	told      map[string]bool   // answers that come once after a boot, and have
	started   time.Time         // of the boot
	reports   map[string]bool   // of calls: +CRC, +CLIP, +CCWA
	messages  messaging
	phonebook phonebook
}

// New prepares a modem; it is off until Run.
func New(cfg Config) (*Modem, error) {
	if cfg.Network == nil {
		return nil, errors.New("making a modem: no network")
	}
	if cfg.Personality == nil {
		p, err := LoadPersonality(DefaultPersonality)
		if err != nil {
			return nil, err
		}
		cfg.Personality = p
	}
	if err := cfg.SIM.validate(); err != nil {
		return nil, err
	}
	if cfg.IMEI == "" {
		cfg.IMEI = cfg.Personality.IMEI(0)
	}
	if cfg.Cell == (Cell{}) {
		cfg.Cell = DefaultCell
	}
	if err := cfg.Cell.Validate(); err != nil {
		return nil, fmt.Errorf("cell: %w", err)
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	m := &Modem{
		personality: cfg.Personality,
		network:     cfg.Network,
		centre:      cfg.Centre,
		imei:        cfg.IMEI,
		cell:        cfg.Cell,
		delay:       cfg.Delay,
		carrierHold: carrierHold,
		now:         cfg.Now,
		uart:        cfg.UART || cfg.Personality.Ports.UART.Value,
		observe:     cfg.Observe,
		capture:     cfg.CapturePPP,
		log:         cfg.Logger,
		kick:        make(chan struct{}, 1),
		ready:       make(chan struct{}),
		turned:      make(chan struct{}),
		ports:       map[*port]struct{}{},
		stored:      map[int]*profile{},
		booting:     true,
		restart:     true,
		sim:         newSIMState(cfg.SIM),
		signal:      DefaultSignal,
		messages:    newMessaging(cfg.Personality.sms(), cfg.Centre),
		phonebook:   newPhonebook(),
	}
	m.table = m.commands()
	m.names = slices.Sorted(maps.Keys(m.table))
	m.mu.Lock()
	m.resetLocked()
	m.factory = m.sharedLocked(cfg.Personality.Line.Factory.Value)
	m.unstored = &profile{port: cfg.Personality.factory(), shared: m.sharedLocked(cfg.Personality.Line.Stored.Value)}
	m.mu.Unlock()
	return m, nil
}

// resetLocked is what power-on sets, with what AT&W stored over it. The SIM's lock is closed again; its counters are the card's.
func (m *Modem) resetLocked() {
	m.functions = 1
	m.looked = 0
	m.waking, m.leaving = false, false
	m.sim.powerUp()
	m.reg = registration{denied: m.reg.denied, lost: m.reg.lost}
	m.cops = operatorSelection{}
	m.gerep = eventReporting{}
	m.cmer = [5]int{}
	m.clock = m.networkClock()
	m.ussd = 0
	m.urcTo = ""
	m.urcDLCI = m.personality.CMUX.URC.Value
	m.lastCause = ""
	m.told = map[string]bool{}
	m.started = m.now()
	m.messages.reset(m.personality.sms())
	m.phonebook.storage = phonebooks[0]
	m.reports = map[string]bool{}
	m.values = map[string]string{}
	for _, s := range m.personality.Settings {
		m.values[s.name()] = s.Default
	}
	m.contexts = map[int]*pdpContext{}
	for _, c := range m.personality.Packet.Contexts {
		m.contexts[c.CID] = &pdpContext{cid: c.CID, pdpType: c.Type, apn: c.APN, options: cmp.Or(c.Options, m.personality.Packet.Defaults.Value)}
	}
	if p := m.stored[0]; p != nil {
		for _, set := range p.shared {
			set()
		}
	}
}

// Run keeps the modem switched on until ctx ends.
func (m *Modem) Run(ctx context.Context) error {
	defer m.spawns.Wait()
	defer m.stop()
	defer m.watchMessages()()
	for {
		var wait <-chan time.Time
		if m.takeRestart() {
			m.boot(ctx)
			continue
		}
		next, timed := m.register()
		if d, ok := m.receive(); ok && (!timed || d < next) {
			next, timed = d, true
		}
		if timed {
			wait = time.After(next)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-m.kick:
		case <-wait:
		}
	}
}

// Ready is closed when the modem hears commands for the first time after Run.
func (m *Modem) Ready() <-chan struct{} { return m.ready }

// stop switches off: sessions end, nothing new begins.
func (m *Modem) stop() {
	m.mu.Lock()
	m.stopped = true
	m.turnLocked()
	m.mu.Unlock()
	m.endVoice(false)
	m.endSessions("the modem was switched off")
	m.radio.Lock()
	defer m.radio.Unlock()
	m.network.Detach(m.sim.card.IMSI)
}

// spawn runs f on a goroutine that Run waits for.
func (m *Modem) spawn(f func()) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.stopped {
		return false
	}
	m.spawns.Go(f)
	return true
}

// poke makes Run look at the state again.
func (m *Modem) poke() {
	select {
	case m.kick <- struct{}{}:
	default:
	}
}

func (m *Modem) addPort(p *port) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.ports[p] = struct{}{}
}

func (m *Modem) removePort(p *port) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.ports, p)
}

// scaled is a delay of the personality as configured.
func (m *Modem) scaled(d time.Duration) time.Duration { return time.Duration(float64(d) * m.delay) }

// sleep waits a scaled delay; it is false when ctx ended first.
func (m *Modem) sleep(ctx context.Context, d time.Duration) bool {
	if d = m.scaled(d); d <= 0 {
		return ctx.Err() == nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}
