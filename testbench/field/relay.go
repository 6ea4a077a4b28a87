package field

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"time"

	"minato/relay/relayapi"
	"minato/testbench/access"
)

func (c *Check) checkRelay(ctx context.Context, s *story) (string, *access.Problem) {
	r := c.cfg.Relay
	began := time.Now()
	_, err := r.API.Health(ctx)
	took := time.Since(began).Round(time.Millisecond)
	if err != nil {
		problem := r.Explain(err)
		var invalid x509.CertificateInvalidError
		if errors.As(err, &invalid) && invalid.Reason == x509.Expired { // which of the two clocks is wrong?
			if ahead, known := r.AskDate(ctx); known {
				if skew := access.Skew(ahead); skew != nil {
					skew.Text += ", so the relay's certificate does not look valid"
					skew.Err = err
					return "", skew
				}
			}
		}
		return "", problem
	}
	if !r.Secret() {
		s.logf("the key goes to %s without encryption", r.URL)
		return fmt.Sprintf("%s answers in %s; without TLS, so the key can be read on the way", r.URL, took), nil
	}
	return fmt.Sprintf("%s answers in %s", r.URL, took), nil
}

func (c *Check) checkClock(_ context.Context, s *story) (string, *access.Problem) {
	ahead, known := c.cfg.Relay.Ahead()
	if !known {
		return "", &access.Problem{Code: "", Text: "the relay's answer has no Date", Cure: "a proxy on the way takes it out: compare the clocks by hand"}
	}
	s.logf("this computer's clock less the relay's: %s", ahead.Round(time.Millisecond))
	if skew := access.Skew(ahead); skew != nil {
		return "", skew
	}
	if ahead.Abs() < time.Second { // the header has whole seconds
		return "within a second of the relay's", nil
	}
	return fmt.Sprintf("%s from the relay's", ahead.Abs().Round(time.Second)), nil
}

func (c *Check) checkKey(ctx context.Context, _ *story) (string, *access.Problem) {
	auth, err := c.cfg.Relay.API.Auth(ctx)
	if err != nil {
		return "", c.cfg.Relay.Explain(err)
	}
	said := "taken, operator " + auth.OperatorID
	if auth.UserName != "" {
		said += ", key " + auth.UserName
	}
	return said, nil
}

func (c *Check) checkSIM(ctx context.Context, s *story) (string, *access.Problem) {
	sim, err := c.cfg.Relay.ReadSIM(ctx, c.cfg.SIM)
	if err != nil {
		return "", c.cfg.Relay.Explain(err)
	}
	c.sim = sim
	session := sim.SessionStatus
	since := ""
	if session.LastUpdatedAt != 0 {
		since = " since " + time.UnixMilli(session.LastUpdatedAt).Format("2006-01-02 15:04:05")
	}
	s.logf("IMSI %s, IMEI %s", session.IMSI, session.IMEI)
	if !session.Online {
		return "", &access.Problem{Code: "R11", Text: "the SIM has no session" + since, Cure: "look at the device's power, antenna and SIM"}
	}
	return fmt.Sprintf("%s online%s, address %s", sim.SIMID, since, session.UEIPAddress), nil
}

func (c *Check) askDoctor(ctx context.Context, s *story) (string, *access.Problem) {
	said, log, problem := c.cfg.Doctor(ctx)
	for _, line := range log {
		s.logf("%s", line)
	}
	return said, problem
}

// makeMappings makes one for each service; the first refusal is the step's.
func (c *Check) makeMappings(ctx context.Context, s *story) (string, *access.Problem) {
	var made []string
	for _, t := range c.targets {
		m, err := c.makeMapping(ctx, t.Port, t.TLS)
		if err != nil {
			return "", c.cfg.Relay.Explain(err)
		}
		t.mapping = m
		s.logf("%s: %s, port %d of the device, TLS option %s, for %s", t.Name, m.Endpoint, t.Port, onOff(t.TLS), strings.Join(m.Source.IPRanges, ", "))
		for _, w := range m.Warnings {
			s.logf("%s: %s %s", t.Name, w.Code, w.Message)
		}
		made = append(made, fmt.Sprintf("%s %d (%s)", t.Name, m.Port, onOff(t.TLS)))
	}
	return strings.Join(made, ", ") + "; removed at the end", nil
}

func (c *Check) makeMapping(ctx context.Context, port int, tls bool) (*relayapi.PortMapping, error) {
	seconds := mappingSeconds
	req := relayapi.CreatePortMappingRequest{Destination: relayapi.Destination{SIMID: c.sim.SIMID, Port: port}, Duration: &seconds, TLSRequired: tls}
	if c.cfg.Sources != nil {
		req.Source = &relayapi.Source{IPRanges: c.cfg.Sources}
	}
	return c.mappings.Make(ctx, req)
}

func onOff(tls bool) string {
	if tls {
		return "ON"
	}
	return "OFF"
}

// checkAddress compares this computer's address, as the relay's API sees it, with the ranges that may connect: those of the check's mappings, and
// those of mappings that others made for the SIM.
func (c *Check) checkAddress(ctx context.Context, s *story) (string, *access.Problem) {
	own, err := c.ownAddress(ctx)
	if err != nil {
		return "", c.cfg.Relay.Explain(err)
	}
	first := c.targets[0].mapping
	if !allows(first.Source.IPRanges, own) {
		return "", &access.Problem{Code: "R12", Text: fmt.Sprintf("your address is %s as the relay sees it, and the mappings allow %s", own, strings.Join(first.Source.IPRanges, ", ")),
			Cure: "add your address to the ranges; a VPN, tethering and IPv6 change it"}
	}
	said := own.String() + " as the relay sees it, and it may connect"
	all, err := c.cfg.Relay.API.ListPortMappings(ctx)
	if err != nil {
		return "", c.cfg.Relay.Explain(err)
	}
	outside := 0
	for _, m := range all {
		if m.Destination.SIMID == c.sim.SIMID && !allows(m.Source.IPRanges, own) {
			outside++
			s.logf("mapping %s to port %d, made by somebody else, allows %s: not this computer (R12)", m.Endpoint, m.Destination.Port, strings.Join(m.Source.IPRanges, ", "))
		}
	}
	if outside > 0 {
		said += fmt.Sprintf("; but not through %d other mappings of this SIM", outside)
	}
	return said, nil
}

// ownAddress is this computer's as the API sees it: a mapping that names no source allows the caller alone.
func (c *Check) ownAddress(ctx context.Context) (netip.Addr, error) {
	m := c.targets[0].mapping
	if c.cfg.Sources != nil {
		seconds := mappingSeconds
		probe, err := c.mappings.Make(ctx, relayapi.CreatePortMappingRequest{Destination: relayapi.Destination{SIMID: c.sim.SIMID, Port: m.Destination.Port}, Duration: &seconds})
		if err != nil {
			return netip.Addr{}, err
		}
		defer c.mappings.Remove(ctx, probe) // should this fail, Close tries again
		m = probe
	}
	if len(m.Source.IPRanges) == 1 {
		if p, err := netip.ParsePrefix(m.Source.IPRanges[0]); err == nil {
			return p.Addr(), nil
		}
	}
	return netip.Addr{}, &access.Problem{Text: fmt.Sprintf("the relay does not tell this computer's address: a mapping without ranges allows %q", m.Source.IPRanges)}
}

func allows(ranges []string, a netip.Addr) bool {
	for _, r := range ranges {
		if p, err := netip.ParsePrefix(r); err == nil && p.Contains(a) {
			return true
		}
	}
	return false
}

// checkCertificate does one handshake with what this computer trusts. Where it does not trust the relay's private CA, the services are still looked
// at, with the CA's certificate as the API gives it: one mistake shall not hide the others.
func (c *Check) checkCertificate(ctx context.Context, s *story) (string, *access.Problem) {
	var t *target
	for _, candidate := range c.targets {
		if candidate.TLS {
			t = candidate
			break
		}
	}
	if t == nil {
		return "not needed: no service with the TLS option ON", nil
	}
	if strings.Contains(t.mapping.Hostname, ".") && net.ParseIP(t.mapping.Hostname) == nil {
		addrs, err := net.DefaultResolver.LookupHost(ctx, t.mapping.Hostname)
		s.logf("%s is %s (%v)", t.mapping.Hostname, strings.Join(addrs, ", "), err)
		if err != nil {
			return "", &access.Problem{Code: access.RelayUnreachable, Text: fmt.Sprintf("the mappings' host name %s is not known here", t.mapping.Hostname), Err: err,
				Cure: "have the name resolve to " + t.mapping.IPAddress + ", since its certificate is for it"}
		}
	}
	state, err := c.handshake(ctx, t.mapping, c.cfg.Relay.Roots)
	var authority x509.UnknownAuthorityError
	switch {
	case err == nil:
		leaf := state.PeerCertificates[0]
		s.logf("%s, issued by %s, until %s", leaf.Subject, leaf.Issuer, leaf.NotAfter.Format(time.DateOnly))
		return fmt.Sprintf("trusted, for %s until %s, %s", t.mapping.Hostname, leaf.NotAfter.Format(time.DateOnly), tls.VersionName(state.Version)), nil
	case errors.As(err, &authority):
		c.audited(ctx, t.mapping) // our own rejection, R14
		pem, pemErr := c.cfg.Relay.API.CA(ctx)
		if pool := x509.NewCertPool(); pemErr == nil && pool.AppendCertsFromPEM(pem) {
			c.privateCA = pool
			s.logf("the services are looked at with the CA that the API gives")
		}
		return "", c.cfg.Relay.Explain(err)
	}
	if p := certificateProblem(t.mapping, err); p != nil {
		return "", p
	}
	s.logf("no certificate was seen: %v", err)
	return "not seen: the services below say why", nil
}

// handshake connects to a mapping with the option ON and looks at the certificate.
func (c *Check) handshake(ctx context.Context, m *relayapi.PortMapping, roots *x509.CertPool) (tls.ConnectionState, error) {
	conn, _, err := c.dial(ctx, m, true, roots)
	if err != nil {
		return tls.ConnectionState{}, err
	}
	defer conn.Close()
	return conn.(*tls.Conn).ConnectionState(), nil
}

// roots are what the services' handshakes are checked with.
func (c *Check) roots() *x509.CertPool {
	if c.privateCA != nil {
		return c.privateCA
	}
	return c.cfg.Relay.Roots
}

// dial connects to a mapping as its option wants it. The connection ends with ctx; at tells how far it came.
func (c *Check) dial(ctx context.Context, m *relayapi.PortMapping, withTLS bool, roots *x509.CertPool) (conn net.Conn, at phase, err error) {
	connectCtx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	raw, err := c.cfg.Relay.Dial(connectCtx, "tcp", m.Endpoint)
	if err != nil {
		return nil, connecting, err
	}
	if !withTLS {
		return raw, speaking, nil
	}
	t := tls.Client(raw, &tls.Config{RootCAs: roots, ServerName: m.Hostname, Time: c.cfg.Relay.Now, MinVersion: tls.VersionTLS12})
	if err := t.HandshakeContext(ctx); err != nil {
		raw.Close()
		return nil, handshake, err
	}
	return t, speaking, nil
}

// connectTimeout is for TCP to the relay's public port, without the device.
const connectTimeout = 10 * time.Second
