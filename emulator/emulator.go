// Package emulator is a fake cellular world for software that was written for real modems: modems on pseudo-terminals, and behind
// them a closed network with a SOCKS5 door into it and doors for the devices out of it. It needs no privileges, but for a TUN device.
//
//	e, err := emulator.New(emulator.Config{})
//	go e.Run(ctx)
//	<-e.Ready()
//	fmt.Println(e.Modem(0).ATPath(), e.SOCKSAddr())
//
// What is where:
//
//	DIR/modem0/at  <-> pty <-> dce <-\
//	DIR/modem0/ppp <-> pty <-> dce <-- one dce.Modem <-> core <-> SOCKS5, Config.Platform, Config.TUN
//	DIR/modem0/at.sock     <-> dce <-/       ^
//	control API ─────── fault ───────────────┘
package emulator

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"

	"golang.org/x/sync/errgroup"

	"minato/agent/ppp"
	"minato/emulator/core"
	"minato/emulator/dce"
	"minato/emulator/sms"
	"minato/emulator/tun"
)

// Config describes the world. The zero value is one Quectel EC25 with a SIM, in a temporary directory, with control API and
// SOCKS5 door on free ports of 127.0.0.1, and no delays.
type Config struct {
	Dir                 string                 // where the ports get their names; "": a temporary directory, removed at the end
	Modems              int                    // 0: 1
	Personality         string                 // a name of dce.Personalities, or the path of a file; several, with commas between them, are those of modem 0, 1 and so on, and then the first again; "": quectel-ec25
	Cell                dce.Cell               // who the network is, and the one cell of it; zero: dce.DefaultCell. Otherwise all of it counts: to change a part, change a copy of that one
	Subscribers         []core.Subscriber      // the network's SIMs; nil: core.DefaultSubscriberOf(Cell.PLMN, n), one a modem, which is at home. One with an IMSI of another PLMN roams. Modem n holds SIM n; one beyond the list holds a SIM that the network does not know
	Cards               []Card                 // of the SIMs, in their order; beyond the list: the zero value
	Control             string                 // address of the control API, on the loopback interface; "": a free port of 127.0.0.1
	SOCKS               string                 // address of the SOCKS5 door, on the loopback interface; "": a free port of 127.0.0.1
	Delay               float64                // how slow the modems are: 1 as real ones, 0 not at all
	Capture             io.Writer              // pcapng of every IP packet to or from a modem; nil: none
	CapturePPP          io.Writer              // pcapng of every PPP frame on the modems' lines; nil: none
	Platform            []core.PlatformService // the doors out: an address in the network leads to a listener of this machine, which is told the device's address
	TUN                 string                 // name of a TUN device that joins this machine to the network, as 100.127.255.254, for as long as Run runs; it needs CAP_NET_ADMIN. "": none
	AllowDeviceToDevice bool                   // devices may reach each other; otherwise the network keeps them apart
	Listen              []string               // further places that take AT commands, for each modem one: "abstract:NAME%d" is a unix socket in the abstract name space, %d the modem's number, "tcp:HOST:PORT" the loopback port PORT for modem 0, PORT+1 for modem 1, or any for port 0
	Script              Script                 // faults at times after Ready
	Logger              *slog.Logger           // nil: silent
}

// Emulator is the world. Make it with New, call Run once.
type Emulator struct {
	cfg    Config
	log    *slog.Logger
	core   *core.Core
	tunnel *tun.Tunnel // nil: none
	centre *sms.Centre
	modems []*Modem
	listen []listenSpec
	events hub
	ready  chan struct{}

	dir            string // set by Run before ready
	control, socks net.Listener
}

// New checks the configuration; nothing is made outside this process before Run. What New returns must be Run, if only with a
// context that has ended.
func New(cfg Config) (*Emulator, error) {
	if cfg.Modems == 0 {
		cfg.Modems = 1
	}
	if cfg.Modems < 0 {
		return nil, fmt.Errorf("modems %d: must not be negative", cfg.Modems)
	}
	if cfg.Delay < 0 {
		return nil, fmt.Errorf("delay %g: must not be negative", cfg.Delay)
	}
	if cfg.Personality == "" {
		cfg.Personality = dce.DefaultPersonality
	}
	if cfg.Cell == (dce.Cell{}) {
		cfg.Cell = dce.DefaultCell
	}
	if err := cfg.Cell.Validate(); err != nil {
		return nil, fmt.Errorf("network: %w", err)
	}
	if cfg.Subscribers == nil {
		for n := range cfg.Modems {
			cfg.Subscribers = append(cfg.Subscribers, core.DefaultSubscriberOf(cfg.Cell.PLMN, n))
		}
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if err := checkLoopback(cfg.Control, "the control API"); err != nil {
		return nil, fmt.Errorf("control %q: %w", cfg.Control, err)
	}
	if err := checkLoopback(cfg.SOCKS, "the SOCKS5 door"); err != nil {
		return nil, fmt.Errorf("socks %q: %w", cfg.SOCKS, err)
	}
	listen, err := parseListen(cfg.Listen, cfg.Modems)
	if err != nil {
		return nil, err
	}
	if err := cfg.Script.check(cfg.Modems); err != nil {
		return nil, err
	}
	kinds, err := loadPersonalities(cfg.Personality)
	if err != nil {
		return nil, err
	}
	e := &Emulator{cfg: cfg, log: cfg.Logger, listen: listen, ready: make(chan struct{})}
	if e.centre, err = newCentre(cfg); err != nil {
		return nil, err
	}
	for n := range cfg.Modems {
		m, err := newModem(e, n, kinds[n%len(kinds)])
		if err != nil {
			return nil, fmt.Errorf("modem %d: %w", n, err)
		}
		e.modems = append(e.modems, m)
	}
	e.core, err = core.New(core.Config{
		Subscribers: cfg.Subscribers, Capture: cfg.Capture, CapturePPP: cfg.CapturePPP, Platform: cfg.Platform, AllowDeviceToDevice: cfg.AllowDeviceToDevice,
		Logger: cfg.Logger.With("part", "core"),
	})
	if err != nil {
		return nil, err
	}
	if cfg.TUN != "" {
		if e.tunnel, err = tun.New(tun.Config{Name: cfg.TUN, Network: e.core, Logger: cfg.Logger.With("part", "tun")}); err != nil {
			return nil, err
		}
	}
	return e, nil
}

// Core is the network.
func (e *Emulator) Core() *core.Core { return e.core }

// Modems is how many there are.
func (e *Emulator) Modems() int { return len(e.modems) }

// Modem gives number i, from 0; nil when there is none.
func (e *Emulator) Modem(i int) *Modem {
	if i < 0 || i >= len(e.modems) {
		return nil
	}
	return e.modems[i]
}

// Ready is closed when all ports, the control API, the door and the TUN device are there, and with a Delay of 0 the modems hear commands; with
// another they are still to boot.
func (e *Emulator) Ready() <-chan struct{} { return e.ready }

// Dir is where the ports have their names; call it after Ready.
func (e *Emulator) Dir() string { return e.dir }

// ControlAddr and SOCKSAddr are where the two listen, host:port; call them after Ready.
func (e *Emulator) ControlAddr() string { return e.control.Addr().String() }

// SOCKSAddr is the door's address.
func (e *Emulator) SOCKSAddr() string { return e.socks.Addr().String() }

// Run keeps the world going until ctx ends. The modems are switched off before the network.
func (e *Emulator) Run(ctx context.Context) (err error) {
	network, stopNetwork := context.WithCancel(context.WithoutCancel(ctx))
	ended := make(chan error, 1)
	go func() { ended <- e.core.Run(network) }() // ends with network; waited for below
	defer func() {
		stopNetwork()
		if nerr := <-ended; nerr != nil {
			err = errors.Join(err, fmt.Errorf("network: %w", nerr))
		}
	}()
	select {
	case <-e.core.Ready():
	case nerr := <-ended:
		ended <- nil
		return fmt.Errorf("network: %w", nerr)
	}
	closeAll, err := e.open()
	defer closeAll()
	if err != nil {
		return err
	}
	g, ctx := errgroup.WithContext(ctx)
	if e.tunnel != nil {
		g.Go(func() error { return part("TUN", e.tunnel.Run(ctx)) })
	}
	for n, m := range e.modems {
		g.Go(func() error { return part(fmt.Sprintf("modem %d", n), m.run(ctx)) })
	}
	g.Go(func() error { return part("SOCKS5", e.core.ServeSOCKS(ctx, e.socks)) })
	g.Go(func() error { return part("control API", e.serveControl(ctx)) })
	if e.awaitTunnel(ctx) && e.awaitModems(ctx) {
		close(e.ready)
		g.Go(func() error { return part("script", e.playAlong(ctx)) })
	}
	return g.Wait()
}

// awaitTunnel waits until the TUN device is there, if one is wanted. It is false when ctx ends before.
func (e *Emulator) awaitTunnel(ctx context.Context) bool {
	if e.tunnel == nil {
		return true
	}
	select {
	case <-e.tunnel.Ready():
		return true
	case <-ctx.Done():
		return false
	}
}

// awaitModems waits until all modems hear commands, unless they are to be as slow as real ones: that is the agent's to wait for.
// It is false when ctx ends before.
func (e *Emulator) awaitModems(ctx context.Context) bool {
	if e.cfg.Delay > 0 {
		return true
	}
	for _, m := range e.modems {
		select {
		case <-m.dce.Ready():
		case <-ctx.Done():
			return false
		}
	}
	return true
}

func part(name string, err error) error {
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// open makes everything that has a name outside this process. closeAll takes back what was made, also after an error.
func (e *Emulator) open() (closeAll func(), err error) {
	var undo []func()
	closeAll = func() {
		for i := len(undo) - 1; i >= 0; i-- {
			undo[i]()
		}
	}
	if err := e.raiseFileLimit(); err != nil {
		return closeAll, err
	}
	if e.dir, err = filepath.Abs(e.cfg.Dir); err != nil {
		return closeAll, err
	}
	if e.cfg.Dir == "" {
		if e.dir, err = os.MkdirTemp("", "minato-emulator-"); err != nil {
			return closeAll, fmt.Errorf("making a directory for the ports: %w", err)
		}
		undo = append(undo, func() { os.RemoveAll(e.dir) })
	}
	for _, m := range e.modems {
		undo = append(undo, m.close)
		if err := m.open(e.dir, e.listen); err != nil {
			return closeAll, fmt.Errorf("modem %d: %w", m.index, err)
		}
	}
	for _, l := range []struct {
		what, addr string
		to         *net.Listener
	}{{"SOCKS5 door", e.cfg.SOCKS, &e.socks}, {"control API", e.cfg.Control, &e.control}} {
		if l.addr == "" {
			l.addr = "127.0.0.1:0"
		}
		if *l.to, err = net.Listen("tcp", l.addr); err != nil {
			return closeAll, fmt.Errorf("%s: %w", l.what, err)
		}
		undo = append(undo, func() { (*l.to).Close() })
	}
	return closeAll, nil
}

// network is the closed network as dce's consumers see it.
type network struct{ e *Emulator }

func (n network) Attach(imsi, imei string) (string, error) { return n.e.core.Attach(imsi, imei) }
func (n network) Detach(imsi string)                       { n.e.core.Detach(imsi) }
func (n network) DefaultBearer(r core.ActivateRequest) (ppp.Lease, error) {
	return n.e.core.DefaultBearer(r)
}

func (n network) Activate(ctx context.Context, r core.ActivateRequest) (dce.Session, error) {
	s, err := n.e.core.Activate(ctx, r)
	if err != nil {
		return nil, err // not a nil *Session in an interface
	}
	return s, nil
}
