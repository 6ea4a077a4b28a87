package emulator

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"minato/emulator/core"
	"minato/emulator/dce"
	"minato/emulator/fault"
	"minato/emulator/pty"
)

// Modem is one modem with its ports and faults.
type Modem struct {
	index       int
	dce         *dce.Modem
	personality *dce.Personality
	events      *hub
	log         *slog.Logger
	message     func(from, text string) error // sends its SIM a short message
	wires       fault.Wires
	ports       []*port
	timers      sync.WaitGroup // of faults that have a duration

	dir       string // set by open
	listeners []net.Listener

	injecting sync.Mutex // held while a fault is injected or cleared, which may take time
	ended     bool       // guarded by injecting

	mu       sync.Mutex
	faults   []*activeFault    // guarded by mu
	injected map[string]uint64 // guarded by mu: how often, by name
}

// ModemStatus is a modem at one moment.
type ModemStatus struct {
	Modem  int           `json:"modem"`
	AT     string        `json:"at"`
	PPP    string        `json:"ppp"`
	Socket string        `json:"socket"`
	Listen []string      `json:"listen"`
	Faults []ActiveFault `json:"faults"`
	dce.Status
}

// loadPersonalities loads what Config.Personality lists.
func loadPersonalities(list string) ([]*dce.Personality, error) {
	var kinds []*dce.Personality
	for name := range strings.SplitSeq(list, ",") {
		p, err := dce.LoadPersonality(name)
		if err != nil {
			return nil, err
		}
		kinds = append(kinds, p)
	}
	return kinds, nil
}

func newModem(e *Emulator, n int, p *dce.Personality) (*Modem, error) {
	sub := core.DefaultSubscriberOf(e.cfg.Cell.PLMN, n)
	if n < len(e.cfg.Subscribers) {
		sub = e.cfg.Subscribers[n]
	}
	sim := dce.SIMCard{IMSI: sub.IMSI, ICCID: sub.ICCID, MSISDN: sub.MSISDN, Card: e.cfg.card(n)}
	message := func(from, text string) error {
		_, err := e.centre.Send(sub.IMSI, from, text)
		return err
	}
	m := &Modem{index: n, personality: p, events: &e.events, message: message, log: e.log.With("modem", n), injected: map[string]uint64{}}
	var capture func(core.Direction) io.Writer
	if e.cfg.CapturePPP != nil {
		capture = func(d core.Direction) io.Writer { return e.core.PPPLine(sub.IMSI, d) } // the network is there before any call
	}
	var err error
	m.dce, err = dce.New(dce.Config{
		Personality: p, Network: network{e}, Centre: e.centre, SIM: sim, Cell: e.cfg.Cell, IMEI: p.IMEI(n), Delay: e.cfg.Delay, Observe: m.observe, CapturePPP: capture, Logger: m.log,
	})
	if err != nil {
		return nil, err
	}
	for _, name := range p.Ports.Names.Value {
		m.ports = append(m.ports, newPort(name, &m.wires))
	}
	return m, nil
}

// ATPath is the stable name of the AT port; call it after Ready.
func (m *Modem) ATPath() string { return m.ports[0].path() }

// PPPPath is the stable name of the port for data calls: the AT port where the modem has one port only.
func (m *Modem) PPPPath() string { return m.ports[len(m.ports)-1].path() }

// SocketPath is the unix socket that takes AT commands; each connection is a port of its own.
func (m *Modem) SocketPath() string { return filepath.Join(m.dir, "at.sock") }

// Listeners are the further places that take AT commands, as Config.Listen has them.
func (m *Modem) Listeners() []string {
	list := []string{}
	for i, l := range m.listeners {
		if i > 0 { // the first is at.sock
			list = append(list, listenerName(l))
		}
	}
	return list
}

// open makes the ports.
func (m *Modem) open(dir string, listen []listenSpec) error {
	m.dir = filepath.Join(dir, fmt.Sprintf("modem%d", m.index))
	if err := os.MkdirAll(m.dir, 0o755); err != nil {
		return err
	}
	// The socket first: where another emulator has it, that one's ports keep their names.
	l, err := pty.ListenUnix(m.SocketPath())
	if err != nil {
		return err
	}
	m.listeners = append(m.listeners, l)
	for _, p := range m.ports {
		if err := p.open(m.dir); err != nil {
			return err
		}
	}
	for _, spec := range listen {
		l, err := spec.listen(m.index)
		if err != nil {
			return err
		}
		m.listeners = append(m.listeners, l)
	}
	return nil
}

// close removes the ports, and the directory if nothing else is in it.
func (m *Modem) close() {
	for _, p := range m.ports {
		p.close()
	}
	for _, l := range m.listeners {
		l.Close()
	}
	os.Remove(m.dir)
}

// run serves the ports and keeps the modem switched on.
func (m *Modem) run(ctx context.Context) error {
	defer m.endFaults()
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return m.dce.Run(ctx) })
	for _, p := range m.ports {
		g.Go(func() error { return part(p.name, p.serve(ctx, m.dce)) })
	}
	for _, l := range m.listeners {
		g.Go(func() error { return pty.Serve(ctx, l, m.serveSocket) })
	}
	return g.Wait()
}

// serveSocket gives a connection to the modem as a port of its own.
func (m *Modem) serveSocket(ctx context.Context, s pty.Socket) {
	w := m.wires.New(s, "at")
	defer m.wires.Drop(w)
	m.dce.Serve(ctx, w.Line(), "at") // a client that breaks off is no failure of the modem
}

// Status may be called at any time after Ready.
func (m *Modem) Status() ModemStatus {
	return ModemStatus{
		Modem: m.index, AT: m.ATPath(), PPP: m.PPPPath(), Socket: m.SocketPath(), Listen: m.Listeners(), Faults: m.activeFaults(), Status: m.dce.Status(),
	}
}

func (m *Modem) activeFaults() []ActiveFault {
	m.mu.Lock()
	defer m.mu.Unlock()
	list := []ActiveFault{}
	for _, f := range m.faults {
		list = append(list, f.ActiveFault)
	}
	return list
}

// Reset switches the modem off and on, by its power: it needs no working program in the modem.
func (m *Modem) Reset() {
	m.clear(func(a *activeFault) bool {
		f, err := fault.Find(a.Name)
		return err == nil && f.Hang
	})
	m.dce.Reset()
}

// SetSignal changes what the modem receives.
func (m *Modem) SetSignal(s dce.Signal) { m.dce.SetSignal(s) }

// SetLines moves the circuits of a port: DTR, DCD, RI.
func (m *Modem) SetLines(port string, c dce.LineChange) error { return m.dce.SetLines(port, c) }
