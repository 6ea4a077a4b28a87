// Package relay gives a device port a temporary public address and port: Napter's API, its TLS option and its audit log,
// and for each connection that failed, why.
//
//	client ==> mapping's port ==> [first bytes judged, TLS ended] ==> Network.DialSIM ==> device
//
// A mapping with the TLS option ON takes TLS from the client and speaks plaintext to the device; with the option OFF bytes pass as they are. The
// device is dialled only after the source address and, with the option ON, the TLS handshake were good, so that what scans the internet never costs
// the device radio time. A refused client gets an orderly end and not one byte; why it was refused is in the audit log and in the log.
//
//	r, err := relay.New(relay.Config{Network: relay.SOCKSNetwork{Addr: "127.0.0.1:7080"}, Directory: sims, Dir: "/var/lib/minato"})
//	if err != nil { ... }
//	err = r.Run(ctx) // until ctx ends; r.Ready() is closed when the API answers
package relay

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"minato/relay/console"
	"minato/relay/splice"
	"minato/relay/store"
)

// Network reaches devices. The relay dials a SIM, not an address.
type Network interface {
	// DialSIM connects to a device's port. Errors are ErrOffline, ErrRefused, ErrTimeout, ErrUnknownSIM, ErrDirectory, ErrNetwork (wrapped) where they are known;
	// one that ends with ctx's deadline and is neither of the last two counts as ErrTimeout.
	DialSIM(ctx context.Context, simID string, port uint16) (net.Conn, error)
}

// SIM is what the relay knows of a subscriber.
type SIM struct {
	ID, IMSI, ICCID, IMEI, MSISDN, Name string
	Tags                                map[string]string // beside "name", which is Name
	Online                              bool
	Addr                                netip.Addr
	Since                               time.Time
}

// Directory lists the SIMs that may be dialled.
type Directory interface {
	SIMs(ctx context.Context) ([]SIM, error)
}

// Config of one relay node. Listen is net.Listen unless a test brings its own network; it opens the mappings' ports and the API.
type Config struct {
	Logger    *slog.Logger // nil: discard
	Network   Network      // required
	Directory Directory    // required
	Listen    func(network, address string) (net.Listener, error)

	API          string                                  // address of the API; "": 127.0.0.1:8080
	MappingIP    netip.Addr                              // address that mapping ports are opened on; zero: 127.0.0.1
	Advertise    netip.Addr                              // address told to users; zero: MappingIP
	Domain       string                                  // host names are the address with dashes under it (127-0-0-1.DOMAIN); "": the address itself, dashes and no domain
	Ports        [2]uint16                               // first and last public port; zero: 10000-32767
	Dir          string                                  // state: store, private CA; required
	Certificates func(*slog.Logger) (*tls.Config, error) // nil: a private CA made in Dir at first start, its root in Dir/ca.pem
	ACME         *ACME                                   // certificates by ACME, in place of Certificates; nil: none

	ClientCAs                 *x509.CertPool // whose client certificates mappings may ask for; nil: they cannot
	RequireClientCertificates bool           // every mapping with the TLS option asks, not only those that were made so

	BootstrapKey func(id, secret string) // called once with the admin key at the very first start; nil: no key is made

	CallRate       float64        // API calls of one key or user in a second, in the long run; a tenth of it from an address (of IPv6: a /64) without a key; 0: 200
	APITLS         bool           // the API speaks TLS, with the mappings' certificate
	Metrics        string         // address of Prometheus' metrics, without credentials; "": none
	TrustedProxies []netip.Prefix // balancers whose PROXY header is believed, and needed, on the API and the mappings' ports; nil: none

	AgentStatusPort uint16 // device port where agents tell their status (their status_port); 0: 9111

	MaxConnections int     // live connections of one mapping; 0: 1000
	MaxPerSource   int     // live connections of one client address, of IPv6: of one /64; 0: 5000
	MaxPerSIM      int     // live connections to one SIM; 0: 5000
	RatePerSource  float64 // new connections of one client address (of IPv6: of one /64) in a second, in the long run; ten times as many at once; 0: 500

	RememberEnded int // ports of ended mappings that go on to refuse for an hour, after a restart too, so that their clients learn why (R13); 0: none, they are closed

	AuditAge time.Duration // audit entries older than this are dropped; 0: 366 days
	CallAge  time.Duration // and entries of the API's own log; 0: 90 days

	SilenceTimeout   time.Duration // how long a client may be silent with the TLS option ON; 0: 5 s
	HandshakeTimeout time.Duration // of TLS, and of a ClientHello once it has begun; 0: 10 s
	RefusalTimeout   time.Duration // how long a refused client may take to close; 0: 5 s
	DialTimeout      time.Duration // to the device, where radio may have to wake up first; 0: 30 s
	IdleTimeout      time.Duration // ends a connection with no byte either way; 0: never, the mapping's end bounds it
	CloseTimeout     time.Duration // as IdleTimeout once one side has closed its half; 0: 5 min
	StallTimeout     time.Duration // how long the device may leave bytes unacknowledged before the connection is given up; 0: 2 min
	DrainTimeout     time.Duration // how long live connections may go on when Run is told to end; 0: 3 s, negative: none

	Clock Clock // nil: the system's
}

func (c *Config) setDefaults() error {
	if c.Network == nil || c.Directory == nil {
		return errors.New("a network and a directory of SIMs are required")
	}
	if c.Dir == "" {
		return errors.New("a state folder is required")
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Listen == nil {
		c.Listen = net.Listen
	}
	if c.API == "" {
		c.API = "127.0.0.1:8080"
	}
	if !c.MappingIP.IsValid() {
		c.MappingIP = netip.AddrFrom4([4]byte{127, 0, 0, 1})
	}
	if !c.Advertise.IsValid() {
		c.Advertise = c.MappingIP
	}
	if c.Advertise.IsUnspecified() {
		return fmt.Errorf("the address to advertise is %s: say which address users shall connect to", c.Advertise)
	}
	if c.Ports == [2]uint16{} {
		c.Ports = [2]uint16{10000, 32767}
	}
	if c.Ports[0] == 0 || c.Ports[0] > c.Ports[1] {
		return fmt.Errorf("ports %d-%d: the first must be at least 1 and at most the last", c.Ports[0], c.Ports[1])
	}
	if c.AgentStatusPort == 0 {
		c.AgentStatusPort = 9111
	}
	if c.ACME != nil && (len(c.ACME.Domains) == 0 || c.Certificates != nil) {
		return errors.New("certificates by ACME need the domains, and no other source of certificates")
	}
	if c.RequireClientCertificates && c.ClientCAs == nil {
		return errors.New("client certificates are required, but no CA is named whose they are")
	}
	if c.CallRate <= 0 {
		c.CallRate = 200
	}
	if c.RatePerSource <= 0 {
		c.RatePerSource = 500
	}
	for _, n := range []struct {
		field *int
		value int
	}{{&c.MaxConnections, 1000}, {&c.MaxPerSource, 5000}, {&c.MaxPerSIM, 5000}} {
		if *n.field <= 0 {
			*n.field = n.value
		}
	}
	if c.Clock == nil {
		c.Clock = systemClock{}
	}
	for _, d := range []struct {
		field *time.Duration
		value time.Duration
	}{
		{&c.SilenceTimeout, 5 * time.Second},
		{&c.HandshakeTimeout, 10 * time.Second},
		{&c.RefusalTimeout, 5 * time.Second},
		{&c.DialTimeout, 30 * time.Second},
		{&c.CloseTimeout, 5 * time.Minute},
		{&c.StallTimeout, 2 * time.Minute},
		{&c.DrainTimeout, 3 * time.Second},
	} {
		if *d.field == 0 {
			*d.field = d.value
		}
	}
	return nil
}

// Relay is one node. Make it with New, call Run once.
type Relay struct {
	cfg   Config
	log   *slog.Logger
	ready chan struct{}

	// Set by Run before ready is closed, and not changed after.
	apiAddr         net.Addr
	metricsAddr     net.Addr // nil: none
	store           *store.Store
	written         mappingStore // the same, for what is written about mappings
	tlsConfig       *tls.Config
	clientTLSConfig *tls.Config  // the same, and clients must have a certificate; nil without ClientCAs
	acme            *acmeManager // nil: certificates are not from ACME
	caPEM           []byte       // nil: certificates are not from the private CA
	tokenKey        []byte
	workers         workers
	parker          *splice.Parker // nil: the system has none

	console   *console.Console
	apiUse    sync.RWMutex // held for reading by each request under way, and for good by the end
	callRates callRates
	passwords *passwords
	mappings  mappingSet
	live      liveConnections
	accepted  atomic.Int64 // connections so far, refused ones too
	exported  atomic.Int64 // bytes of audit log that were given and are not counted yet; above 0 a worker counts
	reach     reach
	limits    limits
	refusals  refusals
	floods    floods
	events    eventHub
	metrics   *metrics
}

// New checks the configuration.
func New(cfg Config) (_ *Relay, err error) {
	if err := cfg.setDefaults(); err != nil {
		return nil, fmt.Errorf("configuring the relay: %w", err)
	}
	r := &Relay{cfg: cfg, log: cfg.Logger, ready: make(chan struct{}), callRates: newCallRates(cfg.CallRate), passwords: newPasswords()}
	r.limits.perSource, r.limits.perSIM = cfg.MaxPerSource, cfg.MaxPerSIM
	r.limits.rate, r.limits.burst = rate.Limit(cfg.RatePerSource), int(10*cfg.RatePerSource)
	r.floods.clock, r.floods.write = cfg.Clock, r.auditConnection
	r.metrics = newMetrics(r)
	if r.console, err = r.newConsole(); err != nil {
		return nil, fmt.Errorf("preparing the console: %w", err)
	}
	return r, nil
}

// Ready is closed when the stored mappings are open and the API answers.
func (r *Relay) Ready() <-chan struct{} { return r.ready }

// APIAddr is where the API listens. Call it after Ready.
func (r *Relay) APIAddr() net.Addr { return r.apiAddr }

// MetricsAddr is where the metrics are; nil without Config.Metrics. Call it after Ready.
func (r *Relay) MetricsAddr() net.Addr { return r.metricsAddr }

// Run serves until ctx ends, then lets live connections go on for Config.DrainTimeout. It returns nil when ctx ended it. Where the store is lost it
// ends with an error: without it nothing of the relay is right, and only a new start brings it back.
func (r *Relay) Run(ctx context.Context) (err error) {
	st, err := store.Open(ctx, store.Config{Dir: storeDir(r.cfg.Dir), Logger: r.log, Now: r.cfg.Clock.Now, AuditAge: r.cfg.AuditAge, CallAge: r.cfg.CallAge})
	if err != nil {
		return fmt.Errorf("opening the store: %w", err)
	}
	defer func() { err = errors.Join(err, st.Close()) }()
	r.store, r.written = st, st
	if err := r.loadSecrets(ctx); err != nil {
		return err
	}
	if r.acme != nil {
		defer r.acme.stop()
	}
	defer r.watchConnections()()
	defer r.closeMappings() // also those that are open when reopening fails half way
	ctx, end := context.WithCancel(ctx)
	defer end()
	r.mappings.ending = ctx.Done()
	ended, err := r.reopenMappings(ctx)
	if err != nil {
		return err
	}
	r.watchClock()

	l, err := r.cfg.Listen("tcp", r.cfg.API)
	if err != nil {
		return fmt.Errorf("opening the API's address %q: %w", r.cfg.API, err)
	}
	r.apiAddr = l.Addr()
	waitMetrics, err := r.serveMetrics(ctx)
	if err != nil {
		return errors.Join(err, l.Close())
	}
	defer waitMetrics()
	r.rememberEnded(ctx, ended) // last: the API and the metrics may have been given a port that was a mapping's
	r.log.Info("relay ready", "api", l.Addr().String(), "mappingIP", r.cfg.MappingIP.String())
	close(r.ready)
	return r.serveAPI(ctx, l)
}

// tokenKeySecret is the name that the store has for the key that signs tokens.
const tokenKeySecret = "token-key"

// loadSecrets gets from the store what all nodes share.
func (r *Relay) loadSecrets(ctx context.Context) (err error) {
	r.tokenKey, err = r.store.Secret(ctx, tokenKeySecret, func() ([]byte, error) { return []byte(newSecret()), nil })
	if err != nil {
		return fmt.Errorf("loading the token key: %w", err)
	}
	if err := r.bootstrap(ctx); err != nil {
		return err
	}
	return r.loadTLS(ctx)
}

// storeDir is the store's folder in the state folder.
func storeDir(dir string) string { return filepath.Join(dir, "store") }

// wait waits for wg, at most for d.
func wait(wg *sync.WaitGroup, d time.Duration) {
	if d <= 0 {
		return
	}
	done := make(chan struct{})
	go func() { wg.Wait(); close(done) }() // the caller waits for wg itself afterwards
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-done:
	case <-t.C:
	}
}
