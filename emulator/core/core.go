// Package core is the closed cellular network behind the emulator's modems: subscribers, their sessions and addresses, the
// gateway's end of each session, and the doors into and out of the network.
//
//	modem -> Session.Deliver -> uplink (anti-spoofing, isolation) -> the session's gateway stack -> door
//	door -> the session's gateway stack -> the session's downlink queue -> modem
//
// Each session has a gateway stack of its own, all with the same addresses. A line that is full so pushes back on the TCP
// connections through it alone, and nothing that one device does, or leaves undone, reaches another.
//
// A session is the only way to a device: a door dials a SIM, which is looked up at that moment, and the end of the session
// ends every connection through it before its address can go to another device.
package core

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"minato/agent/netstack/capture"
)

// Defaults, after SORACOM's networks.
var (
	defaultPool    = netip.MustParsePrefix("10.128.0.0/9")
	defaultGateway = netip.MustParseAddr("100.127.0.1")
	defaultDNS     = []netip.Addr{netip.MustParseAddr("100.127.0.53"), netip.MustParseAddr("100.127.1.53")}
)

const (
	defaultRest        = 60 * time.Second
	defaultDialTimeout = 10 * time.Second
	flushInterval      = time.Second // how long a packet may wait before a reader of the capture sees it
	gatewayQueue       = 256         // packets of one session before TCP waits; what waits for the device waits in its own queue
)

// Config describes the network. The zero value is a network with no subscriber.
type Config struct {
	Subscribers         []Subscriber
	Pool                netip.Prefix      // addresses of devices; zero: 10.128.0.0/9
	Gateway             netip.Addr        // the gateway's own address, also what a device sees as the source of a door's connection; zero: 100.127.0.1
	DNS                 []netip.Addr      // told to devices; nil: 100.127.0.53, 100.127.1.53
	Rest                time.Duration     // how long a freed address is not given to another device; 0: 60 s, negative: none
	DialTimeout         time.Duration     // how long a door waits for a device to answer; 0: 10 s
	Platform            []PlatformService // the doors out
	PlatformIdle        time.Duration     // how long nothing may move on a flow to a platform service; 0: 5 min
	AllowDeviceToDevice bool              // packets between devices are forwarded; otherwise they are dropped and counted
	MTU                 int               // of sessions whose subscriber has none of its own; 0: 1500, which is the most
	Capture             io.Writer         // pcapng of every IP packet to or from a device, one interface a SIM; nil: none
	CapturePPP          io.Writer         // pcapng of every PPP frame that is told by PPPFrame or a PPPLine, one interface a SIM; nil: none
	Rand                func() float64    // of losses and jitter, 0 to 1, for concurrent use; nil: math/rand/v2's
	Logger              *slog.Logger      // nil: silent
}

// Core is the network. Make it with New, call Run once.
type Core struct {
	cfg        Config
	log        *slog.Logger
	capture    *capture.Writer // nil: none
	capturePPP *capture.Writer // nil: none
	own        []netip.Addr    // the network's own addresses, on every session's gateway
	names      *names
	ready      chan struct{}
	started    atomic.Bool
	host       atomic.Pointer[Host] // nil: nobody has joined

	// mu guards what follows. It is never held while a session ends or anything outside this package is called.
	mu     sync.Mutex
	subs   []*subscriber
	bySIM  map[string]*subscriber // by lower-case SIMID
	byIMSI map[string]*subscriber
	pool   *pool
	ended  bool
	wg     sync.WaitGroup // what the sessions run

	routesMu sync.RWMutex
	routes   map[netip.Addr]*Session
}

// New checks the configuration and builds the network. Sessions hold goroutines, which Run ends; so Run must be called, if only with a
// context that has ended.
func New(cfg Config) (*Core, error) {
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	c := &Core{
		cfg: cfg, log: cfg.Logger, ready: make(chan struct{}),
		bySIM: make(map[string]*subscriber), byIMSI: make(map[string]*subscriber),
		routes: make(map[netip.Addr]*Session),
		pool:   newPool(cfg.Pool, cfg.Rest, time.Now),
	}
	c.own = append([]netip.Addr{cfg.Gateway}, cfg.DNS...)
	for _, s := range cfg.Platform {
		if !slices.Contains(c.own, s.Addr.Addr()) {
			c.own = append(c.own, s.Addr.Addr())
		}
	}
	for _, a := range c.own {
		c.pool.exclude(a)
	}
	c.names = c.newNames()
	for _, f := range []struct {
		file io.Writer
		link capture.Link
		to   **capture.Writer
	}{{cfg.Capture, capture.IP, &c.capture}, {cfg.CapturePPP, capture.PPP, &c.capturePPP}} {
		if f.file == nil {
			continue
		}
		w, err := capture.NewLink(f.file, f.link)
		if err != nil {
			return nil, err
		}
		*f.to = w
	}
	for i, s := range cfg.Subscribers {
		if err := c.addSubscriber(s); err != nil {
			return nil, fmt.Errorf("subscriber %d: %w", i, err)
		}
	}
	return c, nil
}

// validate fills in the defaults.
func (c *Config) validate() error {
	if c.Rand == nil {
		c.Rand = rand.Float64
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if !c.Pool.IsValid() {
		c.Pool = defaultPool
	}
	if !c.Pool.Addr().Is4() || c.Pool.Bits() > 30 || c.Pool.Bits() < 8 {
		return fmt.Errorf("pool %q: want an IPv4 prefix of 8 to 30 bits", c.Pool)
	}
	c.Pool = c.Pool.Masked()
	if !c.Gateway.IsValid() {
		c.Gateway = defaultGateway
	}
	if c.DNS == nil {
		c.DNS = defaultDNS
	}
	for i, a := range append([]netip.Addr{c.Gateway}, c.DNS...) {
		if checkHostAddr(a) != nil {
			return fmt.Errorf("gateway or DNS address %q: want an IPv4 host address", a)
		}
		if i > 0 && a == c.Gateway {
			return fmt.Errorf("address %q is both the gateway and a DNS server", a)
		}
	}
	if err := c.validatePlatform(); err != nil {
		return err
	}
	if c.PlatformIdle < 0 {
		return fmt.Errorf("idle time %v of platform services: want a positive duration", c.PlatformIdle)
	}
	if c.PlatformIdle == 0 {
		c.PlatformIdle = platformIdle
	}
	if c.MTU == 0 {
		c.MTU = mtu
	}
	if c.MTU < minMTU || c.MTU > mtu {
		return fmt.Errorf("MTU %d: want %d to %d", c.MTU, minMTU, mtu)
	}
	switch {
	case c.Rest == 0:
		c.Rest = defaultRest
	case c.Rest < 0:
		c.Rest = 0
	}
	if c.DialTimeout < 0 {
		return fmt.Errorf("dial timeout %v: want a positive duration", c.DialTimeout)
	}
	if c.DialTimeout == 0 {
		c.DialTimeout = defaultDialTimeout
	}
	return nil
}

// Run carries packets until ctx ends; then every session is closed. It returns nil on cancel. It waits for the downlinks, so
// what a session was attached to must return from its call when it is closed.
func (c *Core) Run(ctx context.Context) error {
	if !c.started.CompareAndSwap(false, true) {
		return errors.New("core: Run was called twice")
	}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return c.runCapture(ctx, c.capture) })
	g.Go(func() error { return c.runCapture(ctx, c.capturePPP) })
	g.Go(func() error { return c.end(ctx) })
	close(c.ready)
	return g.Wait()
}

// end waits for ctx and closes all sessions.
func (c *Core) end(ctx context.Context) error {
	<-ctx.Done()
	c.mu.Lock()
	c.ended = true
	var open []*Session
	for _, s := range c.subs {
		s.attached = false
		if s.session != nil {
			open = append(open, s.session)
		}
	}
	c.mu.Unlock()
	for _, s := range open {
		s.Close("the network went down")
	}
	c.wg.Wait()
	return nil
}

// Ready is closed when packets flow.
func (c *Core) Ready() <-chan struct{} { return c.ready }
