package relay

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"strings"
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
func (d *diagnosis) step(name string, do func() (finding text, cause Cause)) {
	s := relayapi.DiagnosisStep{Step: name, Result: resultSkipped}
	defer func() { d.answer.Steps = append(d.answer.Steps, s) }()
	if d.answer.Code != "" || d.answer.FailedStep != "" {
		return
	}
	began := time.Now()
	finding, cause := do()
	s.Result, s.Finding, s.TookMs = resultOK, finding.in(d.lang), time.Since(began).Milliseconds()
	if cause != "" {
		s.Result = resultFailed
		d.answer.FailedStep, d.answer.Code, d.answer.Message = name, string(cause), d.words(cause)
	}
}

// words are a cause's own, but for one that blames a client: here there is none, and the device was heard.
func (d *diagnosis) words(c Cause) string {
	if c == CauseSSHOnTLS {
		return textf("the device speaks SSH, which encrypts itself: make the mapping with the TLS option OFF").in(d.lang)
	}
	return c.Text(d.lang)
}

// fail ends the diagnosis for a reason that has no number.
func (d *diagnosis) fail(name string, message text) {
	d.answer.FailedStep, d.answer.Message = name, message.in(d.lang)
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
	http.NewResponseController(c.writer).SetReadDeadline(time.Time{}) // the server's ReadTimeout would end the context before DialTimeout does
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
	d.step(stepPolicy, func() (text, Cause) {
		switch {
		case m.SpentBy != "":
			return textf("its one connection was used"), CauseExpired
		case !contains(m.Sources, client):
			return textf("%s is not in %s", client, joinRanges(m.Sources)), CauseSourceDenied
		}
		return textf("%s may connect until %s", client, m.ExpiresAt.UTC().Format(time.RFC3339)), ""
	})
	bound := true
	d.step(stepPort, func() (text, Cause) {
		pm := r.mappings.get(m.Addr())
		if bound = pm != nil && pm.bound(); !bound {
			return textf("the port is not open: another program holds it"), ""
		}
		if live := pm.live.Load(); live >= int64(r.cfg.MaxConnections) {
			return textf("%d live connections", live), CauseTooMany
		}
		return textf("open, %d live connections", pm.live.Load()), ""
	})
	if !bound {
		d.fail(stepPort, textf("the mapping's port is held by another program on the relay's machine"))
	}
	d.step(stepSession, func() (text, Cause) {
		if !sim.Online {
			if sim.Since.IsZero() {
				return textf("no session"), CauseSIMOffline
			}
			return textf("no session since %s", sim.Since.UTC().Format(time.RFC3339)), CauseSIMOffline
		}
		return textf("session with %s", sim.Addr), ""
	})
	var conn net.Conn
	d.step(stepDevice, func() (text, Cause) {
		var dialErr error
		if conn, dialErr = r.dialDevice(ctx, m.SIMID, m.DevicePort); dialErr != nil {
			return textf("no connection: %v", dialText(dialErr)), cmp.Or(causeOfDial(dialErr), CauseNetworkUnreachable) // the latter for nobody: the caller has gone
		}
		return textf("port %d takes connections", m.DevicePort), ""
	})
	if conn != nil {
		defer conn.Close()
	}
	speaks := recognize.Unknown
	d.step(stepBanner, func() (text, Cause) {
		g := greetingOf(readBanner(ctx, conn))
		if pm := r.mappings.get(m.Addr()); pm != nil && ctx.Err() == nil {
			pm.deviceBanner.learn(g)
		}
		speaks = g.protocol
		switch {
		case g.hungUp:
			return textf("the device closed without a byte"), CauseDeviceHungUp
		case !g.spoke:
			return textf("the device waits for the client to speak"), ""
		case speaks == recognize.Unknown:
			return textf("the device speaks first, an unknown protocol"), ""
		}
		return textf("the device speaks first: %s", strings.TrimPrefix(speaks.Words(), "plain ")), ""
	})
	d.step(stepTLS, func() (text, Cause) { return r.diagnoseTLS(ctx, m, speaks, conn) })
}

// dialText is why the device was not reached, in words of the reader's language where there are some.
func dialText(err error) any {
	switch {
	case errors.Is(err, ErrUnknownSIM):
		return textf("no such SIM")
	case errors.Is(err, ErrOffline):
		return textf("no session")
	case errors.Is(err, ErrRefused):
		return textf("the device refused it")
	case errors.Is(err, ErrTimeout):
		return textf("the device did not answer")
	}
	return err
}

// diagnoseTLS tells whether the mapping's option fits what the device speaks. A device that waits is sent a ClientHello, on the connection
// that is there: what is no TLS server throws it away or complains.
func (r *Relay) diagnoseTLS(ctx context.Context, m store.Mapping, speaks recognize.Protocol, conn net.Conn) (text, Cause) {
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
		return textf("the device speaks TLS itself"), CauseDoubleTLS
	case m.TLS && speaks == recognize.SSH:
		return textf("the device speaks SSH"), CauseSSHOnTLS
	case m.TLS:
		return textf("the option is ON and the device speaks plaintext: clients must speak TLS"), ""
	case deviceTLS:
		return textf("the option is OFF and the device speaks TLS"), ""
	}
	return textf("the option is OFF and the device speaks no TLS: clients must speak as the device does"), ""
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
