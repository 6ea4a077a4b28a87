package field

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"minato/relay/relayapi"
	"minato/testbench/access"
	"minato/testbench/neterr"
)

// errClosing ends a connection after a good answer: the server said so.
var errClosing = errors.New("the server closes after its answer")

// wrongProtocolError is an answer in another protocol.
type wrongProtocolError struct {
	want string
	got  []byte
}

func wrongProtocol(want string, got []byte) error {
	return &wrongProtocolError{want, bytes.Clone(got[:min(len(got), 12)])}
}

func (e *wrongProtocolError) Error() string {
	for prefix, name := range map[string]string{"SSH-": "SSH", "RFB ": "VNC", "HTTP": "HTTP", "\x15\x03": "TLS", "\x16\x03": "TLS"} {
		if bytes.HasPrefix(e.got, []byte(prefix)) {
			return fmt.Sprintf("the device speaks %s there, not %s", name, e.want)
		}
	}
	return fmt.Sprintf("the device answers %q, which is no %s", e.got, e.want)
}

// Phases of a connection, which decide what a failure means.
type phase int

const (
	connecting phase = iota // TCP to the mapping's public port
	handshake               // TLS with the relay
	speaking                // with the device
	moving                  // full-size packets, after small ones have passed
)

// why finds out what a failed connection to a mapping failed by: first by what only this computer sees, then by what the relay saw of that very
// connection, then by asking the relay to go the way itself.
func (c *Check) why(ctx context.Context, m *relayapi.PortMapping, at phase, err error) *access.Problem {
	if ctx.Err() != nil {
		return &access.Problem{Text: "interrupted", Err: ctx.Err()}
	}
	if at == handshake {
		if p := certificateProblem(m, err); p != nil {
			return p
		}
	}
	if at != connecting {
		if entry, found := c.audited(ctx, m); found {
			return fromEntry(entry, m, err)
		}
	}
	if at == moving && neterr.Timeout(err) {
		return &access.Problem{Code: "R18", Text: "small packets pass and large ones never do", Err: err,
			Cure: "large packets are lost on the way: lower the MTU of the device's link or clamp the MSS; or the line is too weak"}
	}
	ctx, cancel := context.WithTimeout(ctx, c.cfg.Patience)
	defer cancel()
	d, diagnoseErr := c.cfg.Relay.API.Diagnose(ctx, m.IPAddress, m.Port, "")
	var foreign *wrongProtocolError
	switch {
	case diagnoseErr == nil && d.Code != "":
		return access.FromReason(d.Code, d.Message, err)
	case diagnoseErr == nil && !d.OK:
		return &access.Problem{Text: d.Message, Err: err}
	case at == connecting:
		return &access.Problem{Code: access.RelayUnreachable, Text: fmt.Sprintf("the relay's API is reached, but its port %d is not: %s", m.Port, shortError(err)), Err: err,
			Cure: "a firewall between here and the relay blocks high ports, as office networks do: have 10000-32767 opened, or take another network, such as a phone's hotspot"}
	case errors.As(err, &foreign):
		return &access.Problem{Text: foreign.Error(), Cure: "is it the right port of the device? name another with --service NAME=PORT", Err: err}
	}
	return &access.Problem{Text: shortError(err), Cure: "the relay found nothing wrong on its side: see the log below, and the service's own log on the device", Err: err}
}

// audited looks for what the relay wrote about a connection to the mapping that nobody has asked about yet. It may come a moment after the end that
// we saw.
func (c *Check) audited(ctx context.Context, m *relayapi.PortMapping) (relayapi.NapterAuditLogEntry, bool) {
	ctx, cancel := context.WithTimeout(ctx, auditPatience)
	defer cancel()
	tick := time.NewTicker(auditInterval)
	defer tick.Stop()
	for {
		entries, _, err := c.cfg.Relay.API.AuditLogs(ctx, relayapi.AuditQuery{SIMID: c.sim.SIMID, From: m.CreatedTime, Limit: 1000})
		for _, entry := range entries {
			if entry.Code != "" && int(entry.Direction.DestinationPort) == m.Port && c.seen.first(entry.ConnectionID) {
				return entry, true
			}
		}
		var refused *relayapi.Error
		if errors.As(err, &refused) {
			return relayapi.NapterAuditLogEntry{}, false // the key may not read the log
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return relayapi.NapterAuditLogEntry{}, false
		}
	}
}

// seenConnections are those whose failure is told already.
type seenConnections struct {
	mu  sync.Mutex
	ids map[string]bool // guarded by mu
}

// first tells whether a connection is asked about for the first time.
func (s *seenConnections) first(id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ids[id] {
		return false
	}
	if s.ids == nil {
		s.ids = map[string]bool{}
	}
	s.ids[id] = true
	return true
}

// auditPatience is how long the relay may take to write down an end: it gathers entries for 50 ms, and where a device's own words tell the cause
// it dials it, for up to 5 s, and waits 2 s for them.
const (
	auditPatience = 8 * time.Second
	auditInterval = 50 * time.Millisecond
)

func fromEntry(entry relayapi.NapterAuditLogEntry, m *relayapi.PortMapping, err error) *access.Problem {
	p := access.FromReason(entry.Code, entry.Reason, err)
	switch entry.Code {
	case "R12":
		p.Text = fmt.Sprintf("your address is %s as the relay sees it, and the mapping allows %s", entry.Direction.SourceIPAddress, strings.Join(m.Source.IPRanges, ", "))
	case "R16":
		p.Text += " (" + entry.CloseReason + ")"
	}
	return p
}

// certificateProblem is what our side says about the relay's certificate at a mapping; nil where that is not the fault.
func certificateProblem(m *relayapi.PortMapping, err error) *access.Problem {
	var (
		name    x509.HostnameError
		invalid x509.CertificateInvalidError
	)
	switch {
	case errors.As(err, &name):
		return &access.Problem{Code: "R14", Text: fmt.Sprintf("the certificate at %s is not for its host name %s", m.Endpoint, m.Hostname), Err: err,
			Cure: "clients reject it: give the relay a certificate for its names (tls.cert), or correct mappings.domain"}
	case errors.As(err, &invalid):
		return &access.Problem{Code: "R14", Text: "the relay's certificate is not good: " + invalid.Error(), Err: err,
			Cure: "look at this computer's clock; when it is right, the relay's certificate must be renewed"}
	}
	return nil
}

// shortError is an error without the addresses that the user has seen already.
func shortError(err error) string {
	switch {
	case neterr.Refused(err):
		return "connection refused"
	case neterr.Timeout(err):
		return "no answer"
	case neterr.Reset(err):
		return "connection reset"
	}
	return err.Error()
}
