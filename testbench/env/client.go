package env

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"path/filepath"
	"strconv"

	"minato/relay/relayapi"
	"minato/relay/splice"
	"minato/testbench/access"
	"minato/testbench/check"
)

// Client is one technician's computer: an address on the internet side, and the relay's API as seen from there.
type Client struct {
	Host
	API *relayapi.Client

	env *Env
}

// Client gives the n-th client, from 0.
func (e *Env) Client(n int) (*Client, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if c := e.client[n]; c != nil {
		return c, nil
	}
	host, err := e.Internet.Client(n)
	if err != nil {
		return nil, err
	}
	transport := &http.Transport{DialContext: host.DialContext}
	c := &Client{Host: host, env: e, API: &relayapi.Client{
		BaseURL: "http://" + e.Address.API, HTTPClient: &http.Client{Transport: transport},
		AuthKeyID: e.key.ID, AuthKey: e.key.Secret,
	}}
	e.stops = append(e.stops, func() error { transport.CloseIdleConnections(); return nil })
	e.client[n] = c
	return c, nil
}

// Relay is the relay as the technician's tools reach it, trusting its CA.
func (c *Client) Relay() (*access.Relay, error) {
	return access.New(access.Config{
		URL: c.API.BaseURL, Key: c.env.key, CAFile: filepath.Join(c.env.Dir, "relay", "ca.pem"), Dial: c.DialContext,
	})
}

// Inject starts a fault of the emulator on the device's modem.
func (c *Client) Inject(ctx context.Context, name string) error { return c.env.Inject(ctx, name, nil) }

// Mapping is a port mapping together with the client that made it.
type Mapping struct {
	relayapi.PortMapping
	Client *Client
}

// MapOptions of Map. The zero value is the TLS option OFF, the API's own duration, and the caller's address only.
type MapOptions struct {
	TLS      bool
	Duration int      // seconds; 0: the API's default
	Sources  []string // prefixes
	Device   int      // which, from 0
	OneTime  bool     // the mapping ends with its first connection
}

// Map makes a port mapping to a port of the device.
func (c *Client) Map(ctx context.Context, port int, o MapOptions) (*Mapping, error) {
	r := relayapi.CreatePortMappingRequest{
		Destination: relayapi.Destination{SIMID: c.env.SIMs()[o.Device].ID, Port: port}, TLSRequired: o.TLS, OneTime: o.OneTime,
	}
	if o.Duration != 0 {
		r.Duration = &o.Duration
	}
	if o.Sources != nil {
		r.Source = &relayapi.Source{IPRanges: o.Sources}
	}
	m, err := c.API.CreatePortMapping(ctx, r)
	if err != nil {
		return nil, fmt.Errorf("making a mapping to port %d: %w", port, err)
	}
	c.env.noteMapping(m)
	c.env.Step("mapping made", "endpoint", m.Endpoint, "device port", port, "tls", m.TLSRequired, "sources", m.Source.IPRanges)
	return &Mapping{PortMapping: *m, Client: c}, nil
}

// noteMapping remembers the first mapping of a story, whose connections a report shows.
func (e *Env) noteMapping(m *relayapi.PortMapping) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.firstMapping.IsValid() {
		e.firstMapping, _ = netip.ParseAddrPort(m.Endpoint)
	}
}

// FirstMapping is the public address of the first mapping that was made.
func (e *Env) FirstMapping() netip.AddrPort {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.firstMapping
}

// Delete ends the mapping.
func (m *Mapping) Delete(ctx context.Context) error {
	return m.Client.API.DeletePortMapping(ctx, m.IPAddress, m.Port)
}

// From is the same mapping as another client sees it.
func (m *Mapping) From(c *Client) *Mapping { return &Mapping{PortMapping: m.PortMapping, Client: c} }

// Dial connects to the mapping as it is, without TLS.
func (m *Mapping) Dial(ctx context.Context) (net.Conn, error) {
	return m.Client.DialContext(ctx, "tcp", net.JoinHostPort(m.IPAddress, strconv.Itoa(m.Port)))
}

// Roots are the certificates that a user of this relay trusts: its private CA.
func (c *Client) Roots(ctx context.Context) (*x509.CertPool, error) {
	pem, err := c.API.CA(ctx)
	if err != nil {
		return nil, fmt.Errorf("fetching the relay's CA: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("the relay's CA is no certificate: %q", pem)
	}
	return pool, nil
}

// DialTLS connects to the mapping with TLS, and checks the certificate against the mapping's host name.
func (m *Mapping) DialTLS(ctx context.Context) (net.Conn, error) {
	roots, err := m.Client.Roots(ctx)
	if err != nil {
		return nil, err
	}
	raw, err := m.Dial(ctx)
	if err != nil {
		return nil, err
	}
	conn := tls.Client(raw, &tls.Config{RootCAs: roots, ServerName: m.Hostname, KeyLogWriter: m.Client.env.Secrets()})
	if err := conn.HandshakeContext(ctx); err != nil {
		raw.Close()
		return nil, fmt.Errorf("TLS handshake with the relay: %w", err)
	}
	return conn, nil
}

// Dialer gives the way in that the mapping's option asks for, for a check.
func (m *Mapping) Dialer() check.Dial {
	if m.TLSRequired {
		return m.DialTLS
	}
	return m.Dial
}

// Door is where a program of this machine reaches the mapping, HOST and PORT: the mapping itself on the kernel's network, a forwarder on
// loopback for the userspace one. It ends with the environment.
func (m *Mapping) Door() (netip.AddrPort, error) {
	if m.Client.env.Net != Userspace {
		return netip.ParseAddrPort(m.Endpoint)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("opening a door to the userspace internet: %w", err)
	}
	e := m.Client.env
	ctx, cancel := context.WithCancel(context.WithoutCancel(e.ctx))
	stop := e.serve(l, func(c net.Conn) {
		far, err := m.Dial(ctx)
		if err != nil {
			e.log.Warn("a door cannot reach the mapping", "endpoint", m.Endpoint, "err", err)
			return
		}
		splice.New(c, far, splice.Config{}).Run(ctx)
	})
	e.stops = append(e.stops, func() error { cancel(); return stop() })
	return l.Addr().(*net.TCPAddr).AddrPort(), nil
}
