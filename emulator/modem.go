package emulator

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

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

	dir    string // set by open
	ports  []*pty.Port
	socket *net.UnixListener

	mu     sync.Mutex
	faults []activeFault // guarded by mu
}

// ActiveFault is a fault that was injected and not cleared.
type ActiveFault struct {
	Name   string            `json:"name"`
	Modem  int               `json:"modem"`
	Params map[string]string `json:"params"`
	Since  time.Time         `json:"since"`
}

type activeFault struct {
	ActiveFault
	clear func()
}

// ModemStatus is a modem at one moment.
type ModemStatus struct {
	Modem  int           `json:"modem"`
	AT     string        `json:"at"`
	PPP    string        `json:"ppp"`
	Socket string        `json:"socket"`
	Faults []ActiveFault `json:"faults"`
	dce.Status
}

func newModem(e *Emulator, n int, p *dce.Personality) (*Modem, error) {
	sub := core.DefaultSubscriber(n)
	if n < len(e.cfg.Subscribers) {
		sub = e.cfg.Subscribers[n]
	}
	sim := dce.SIMCard{IMSI: sub.IMSI, ICCID: sub.ICCID, MSISDN: sub.MSISDN}
	if n < len(e.cfg.PINs) {
		sim.PIN = e.cfg.PINs[n]
	}
	d, err := dce.New(dce.Config{
		Personality: p, Network: network{e}, Centre: e.centre, SIM: sim, IMEI: p.IMEI(n), Delay: e.cfg.Delay, Logger: e.log.With("modem", n),
	})
	if err != nil {
		return nil, err
	}
	return &Modem{index: n, dce: d, personality: p}, nil
}

// ATPath is the stable name of the AT port; call it after Ready.
func (m *Modem) ATPath() string { return filepath.Join(m.dir, "at") }

// PPPPath is the stable name of the port for data calls: the AT port where the modem has one port only.
func (m *Modem) PPPPath() string {
	if slices.Contains(m.personality.Ports.Names.Value, "ppp") {
		return filepath.Join(m.dir, "ppp")
	}
	return m.ATPath()
}

// SocketPath is the unix socket that takes AT commands; each connection is a port of its own.
func (m *Modem) SocketPath() string { return filepath.Join(m.dir, "at.sock") }

// open makes the ports.
func (m *Modem) open(dir string) error {
	m.dir = filepath.Join(dir, fmt.Sprintf("modem%d", m.index))
	if err := os.MkdirAll(m.dir, 0o755); err != nil {
		return err
	}
	for _, name := range m.personality.Ports.Names.Value {
		p, err := pty.Open(filepath.Join(m.dir, name))
		if err != nil {
			return err
		}
		m.ports = append(m.ports, p)
	}
	var err error
	m.socket, err = pty.ListenUnix(m.SocketPath())
	return err
}

// close removes the ports, and the directory if nothing else is in it.
func (m *Modem) close() {
	for _, p := range m.ports {
		p.Close()
	}
	if m.socket != nil {
		m.socket.Close()
	}
	os.Remove(m.dir)
}

// run serves the ports and keeps the modem switched on.
func (m *Modem) run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return m.dce.Run(ctx) })
	for i, p := range m.ports {
		name := m.personality.Ports.Names.Value[i]
		g.Go(func() error { return part(name, m.dce.Serve(ctx, p, name)) })
	}
	g.Go(func() error {
		return pty.Serve(ctx, m.socket, func(ctx context.Context, s pty.Socket) {
			m.dce.Serve(ctx, s, "at") // a client that breaks off is no failure of the modem
		})
	})
	return g.Wait()
}

// Status may be called at any time after Ready.
func (m *Modem) Status() ModemStatus {
	s := ModemStatus{Modem: m.index, AT: m.ATPath(), PPP: m.PPPPath(), Socket: m.SocketPath(), Status: m.dce.Status(), Faults: []ActiveFault{}}
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, f := range m.faults {
		s.Faults = append(s.Faults, f.ActiveFault)
	}
	return s
}

// Reset switches the modem off and on.
func (m *Modem) Reset() { m.dce.Reset() }

// SetSignal changes what the modem receives.
func (m *Modem) SetSignal(s dce.Signal) { m.dce.SetSignal(s) }

// Inject starts a fault; see package fault for names and parameters. A fault that is active already is cleared first.
func (m *Modem) Inject(name string, params map[string]string) error {
	f, err := fault.Find(name)
	if err != nil {
		return err
	}
	p, err := f.Check(params)
	if err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.faults = slices.DeleteFunc(m.faults, func(a activeFault) bool {
		if a.Name == name {
			a.clear()
		}
		return a.Name == name
	})
	clear, err := f.Inject(m.dce, p)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrFault, err)
	}
	if clear != nil {
		m.faults = append(m.faults, activeFault{ActiveFault{Name: name, Modem: m.index, Params: p, Since: time.Now()}, clear})
	}
	return nil
}

// Clear ends all faults of the modem, the latest first.
func (m *Modem) Clear() {
	m.mu.Lock()
	defer m.mu.Unlock()
	for i := len(m.faults) - 1; i >= 0; i-- {
		m.faults[i].clear()
	}
	m.faults = nil
}
