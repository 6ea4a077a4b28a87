package relay

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/netip"
	"time"

	"minato/relay/recognize"
	"minato/relay/relayapi"
	"minato/relay/store"
)

// Steps of a diagnosis, in the order in which a connection meets what they look at.
const (
	stepPolicy  = "policy"  // would this client be let in?
	stepPort    = "port"    // is the mapping's port open here?
	stepSession = "session" // has the SIM a session?
	stepDevice  = "device"  // does the device take a connection?
	stepBanner  = "banner"  // what does it speak?
	stepTLS     = "tls"     // does the TLS option fit that?
)

// Results of a step.
const (
	resultOK      = "ok"
	resultFailed  = "failed"
	resultSkipped = "skipped" // because of what failed before
)

// diagnosis walks the steps and stops at the first that is wrong.
type diagnosis struct {
	lang   string
	answer relayapi.Diagnosis
}

// step does one, unless one before has failed. What it answers is the finding in words, and the cause if something is wrong.
func (d *diagnosis) step(name string, do func() (finding string, cause Cause)) {
	s := relayapi.DiagnosisStep{Step: name, Result: resultSkipped}
	defer func() { d.answer.Steps = append(d.answer.Steps, s) }()
	if d.answer.Code != "" || d.answer.FailedStep != "" {
		return
	}
	began := time.Now()
	finding, cause := do()
	s.Result, s.Finding, s.TookMs = resultOK, finding, time.Since(began).Milliseconds()
	if cause != "" {
		s.Result = resultFailed
		d.answer.FailedStep, d.answer.Code, d.answer.Message = name, string(cause), cause.Text(d.lang)
	}
}

// fail ends the diagnosis for a reason that has no number.
func (d *diagnosis) fail(name, message string) {
	d.answer.FailedStep, d.answer.Message = name, message
	for i := range d.answer.Steps {
		if d.answer.Steps[i].Step == name {
			d.answer.Steps[i].Result = resultFailed
		}
	}
}

// diagnosePortMapping walks the way of a client's connection through a mapping, and names the first thing that is wrong.
func (r *Relay) diagnosePortMapping(c *call) (any, error) {
	m, err := r.pathMapping(c)
	if err != nil {
		return nil, err
	}
	var body relayapi.DiagnoseRequest
	if err := decodeOptionalBody(c, &body); err != nil {
		return nil, err
	}
	client := c.caller.Addr()
	if body.SourceIPAddress != "" {
		if client, err = netip.ParseAddr(body.SourceIPAddress); err != nil {
			return nil, badField("sourceIpAddress", body.SourceIPAddress, "an address such as 203.0.113.7")
		}
	}
	sim, err := r.simByID(c, m.SIMID)
	if err != nil {
		sim = SIM{ID: m.SIMID} // gone from the directory: the session step says so
	}
	d := &diagnosis{lang: c.lang()}
	d.answer.CheckedAt = r.cfg.Clock.Now().UnixMilli()
	r.diagnose(c.Context(), d, m, sim, client.Unmap())
	d.answer.OK = d.answer.FailedStep == ""
	return d.answer, nil
}

func (r *Relay) diagnose(ctx context.Context, d *diagnosis, m store.Mapping, sim SIM, client netip.Addr) {
	d.step(stepPolicy, func() (string, Cause) {
		switch {
		case m.SpentBy != "":
			return "its one connection was used", CauseExpired
		case !contains(m.Sources, client):
			return fmt.Sprintf("%s is not in %s", client, joinRanges(m.Sources)), CauseSourceDenied
		}
		return fmt.Sprintf("%s may connect until %s", client, m.ExpiresAt.UTC().Format(time.RFC3339)), ""
	})
	bound := true
	d.step(stepPort, func() (string, Cause) {
		pm := r.mappings.get(m.Addr())
		if bound = pm != nil && pm.bound(); !bound {
			return "the port is not open: another program holds it", ""
		}
		if live := pm.live.Load(); live >= int64(r.cfg.MaxConnections) {
			return fmt.Sprintf("%d live connections", live), CauseTooMany
		}
		return fmt.Sprintf("open, %d live connections", pm.live.Load()), ""
	})
	if !bound {
		d.fail(stepPort, "the mapping's port is held by another program on the relay's machine")
	}
	d.step(stepSession, func() (string, Cause) {
		if !sim.Online {
			if sim.Since.IsZero() {
				return "no session", CauseSIMOffline
			}
			return "no session since " + sim.Since.UTC().Format(time.RFC3339), CauseSIMOffline
		}
		return "session with " + sim.Addr.String(), ""
	})
	var conn net.Conn
	var dialErr error
	d.step(stepDevice, func() (string, Cause) {
		if conn, dialErr = r.dialDevice(ctx, m.SIMID, m.DevicePort); dialErr != nil {
			return dialErr.Error(), causeOfDial(dialErr)
		}
		return fmt.Sprintf("port %d takes connections", m.DevicePort), ""
	})
	if dialErr != nil && d.answer.FailedStep == "" {
		d.fail(stepDevice, "the closed network cannot be reached")
	}
	if conn != nil {
		defer conn.Close()
	}
	speaks := recognize.Unknown
	d.step(stepBanner, func() (string, Cause) {
		b, err := readBanner(ctx, conn)
		if err != nil && len(b) == 0 {
			return "the device closed without a byte", CauseDeviceHungUp
		}
		if speaks, _ = recognize.FromServer(b); len(b) == 0 {
			return "the device waits for the client to speak", ""
		}
		return "the device speaks first: " + speaks.Words(), ""
	})
	d.step(stepTLS, func() (string, Cause) { return r.diagnoseTLS(ctx, m, speaks, conn) })
}

// diagnoseTLS tells whether the mapping's option fits what the device speaks. A device that waits is sent a ClientHello, on the connection
// that is there: what is no TLS server throws it away or complains.
func (r *Relay) diagnoseTLS(ctx context.Context, m store.Mapping, speaks recognize.Protocol, conn net.Conn) (string, Cause) {
	deviceTLS := false
	if speaks == recognize.Unknown {
		ctx, cancel := context.WithTimeout(ctx, probeTimeout)
		defer cancel()
		probe := &answered{Conn: conn}
		tls.Client(probe, &tls.Config{InsecureSkipVerify: true}).HandshakeContext(ctx) // to see what it answers, not to trust it
		p, _ := recognize.FromServer(probe.first)
		deviceTLS = p == recognize.TLS || p == recognize.TLSAlert
	}
	switch {
	case m.TLS && deviceTLS:
		return "the device speaks TLS itself", CauseDoubleTLS
	case m.TLS && speaks == recognize.SSH:
		return "the device speaks SSH", CauseSSHOnTLS
	case m.TLS:
		return "the option is ON and the device speaks plaintext: clients must speak TLS", ""
	case deviceTLS:
		return "the option is OFF and the device speaks TLS", ""
	}
	return "the option is OFF and the device speaks no TLS: clients must speak as the device does", ""
}

// answered remembers what a device answers first.
type answered struct {
	net.Conn
	first []byte
}

func (a *answered) Read(p []byte) (int, error) {
	n, err := a.Conn.Read(p)
	a.first = append(a.first, p[:min(n, sniffBytes-len(a.first))]...)
	return n, err
}
