package access

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"minato/relay/relayapi"
)

// callTimeout bounds one call of the API.
const callTimeout = 15 * time.Second

// Config says which relay, and what is trusted. URL is required.
type Config struct {
	URL    string // http://HOST:PORT or https://HOST:PORT, with or without /v1
	Key    Key
	CAFile string // PEM certificates to trust rather than the computer's own; "": the computer's own

	// The world outside, for tests and proxies.
	Dial func(ctx context.Context, network, address string) (net.Conn, error) // nil: a net.Dialer
	Now  func() time.Time                                                     // nil: time.Now
}

// Relay is a relay as this computer reaches it. Close it.
type Relay struct {
	URL   string // without /v1
	API   *relayapi.Client
	Roots *x509.CertPool // nil: the computer's own
	Dial  func(ctx context.Context, network, address string) (net.Conn, error)
	Now   func() time.Time

	transport *http.Transport
	lastDate  date
}

// New checks the configuration; it calls nobody.
func New(cfg Config) (*Relay, error) {
	u, err := url.Parse(strings.TrimSuffix(strings.TrimSuffix(cfg.URL, "/"), "/v1"))
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" || strings.Trim(u.Path, "/") != "" {
		return nil, fmt.Errorf("relay %q: want http://HOST:PORT or https://HOST:PORT", cfg.URL)
	}
	u.Path = ""
	r := &Relay{URL: u.String(), Dial: cfg.Dial, Now: cfg.Now}
	if r.Dial == nil {
		r.Dial = new(net.Dialer).DialContext
	}
	if r.Now == nil {
		r.Now = time.Now
	}
	if cfg.CAFile != "" {
		if r.Roots, err = readRoots(cfg.CAFile); err != nil {
			return nil, err
		}
	}
	r.transport = &http.Transport{
		Proxy: http.ProxyFromEnvironment, DialContext: r.Dial,
		TLSClientConfig:     &tls.Config{RootCAs: r.Roots, Time: r.Now, MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout: callTimeout, ForceAttemptHTTP2: true,
	}
	r.API = &relayapi.Client{
		BaseURL: r.URL, AuthKeyID: cfg.Key.ID, AuthKey: cfg.Key.Secret,
		HTTPClient: &http.Client{Transport: &dating{r.transport, &r.lastDate, r.Now}, Timeout: callTimeout},
	}
	return r, nil
}

func readRoots(file string) (*x509.CertPool, error) {
	pem, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("reading the authorities: %w", err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("reading the authorities %q: no certificate in it: want PEM, which begins with -----BEGIN CERTIFICATE-----", file)
	}
	return roots, nil
}

// Close ends the connections that wait for another call.
func (r *Relay) Close() { r.transport.CloseIdleConnections() }

// Secret tells whether a key may be sent: over TLS, or not beyond this computer.
func (r *Relay) Secret() bool {
	u, err := url.Parse(r.URL)
	if err != nil || u.Scheme == "https" {
		return err == nil
	}
	ip := net.ParseIP(u.Hostname())
	return u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
}

// Explain is Explain for this relay.
func (r *Relay) Explain(err error) *Problem { return Explain(err, r.URL) }

// ReadSIM finds the SIM by its id, or by its IMSI.
func (r *Relay) ReadSIM(ctx context.Context, id string) (relayapi.SIM, error) {
	sims, err := r.API.SIMs(ctx)
	if err != nil {
		return relayapi.SIM{}, r.Explain(err)
	}
	var known []string
	for _, sim := range sims {
		if sim.SIMID == id || sim.SessionStatus.IMSI == id || hasIMSI(sim, id) {
			return sim, nil
		}
		known = append(known, sim.SIMID)
	}
	const most = 4
	list := strings.Join(known[:min(len(known), most)], ", ")
	if len(known) > most {
		list += fmt.Sprintf(" and %d more", len(known)-most)
	}
	if len(known) == 0 {
		list = "none"
	}
	return relayapi.SIM{}, &Problem{noSIM, fmt.Sprintf("the relay has no SIM %s that this key sees", id), "use one of these, or another key: " + list, nil}
}

func hasIMSI(sim relayapi.SIM, imsi string) bool {
	for _, profile := range sim.Profiles {
		if _, ok := profile.Subscribers[imsi]; ok {
			return true
		}
	}
	return false
}
