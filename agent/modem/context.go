package modem

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"minato/agent/atline"
)

// PDPType is the kind of address that a context asks for.
type PDPType string

// Types of 27.007, 10.1.1.
const (
	PDPTypeIP     PDPType = "IP"
	PDPTypeIPv6   PDPType = "IPV6"
	PDPTypeIPv4v6 PDPType = "IPV4V6"
)

// PDPContext is one context definition.
type PDPContext struct {
	CID  int
	Type PDPType
	APN  string
}

// AuthProtocol is how a context's user is authenticated, with the numbers of +CGAUTH (27.007, 10.1.31).
type AuthProtocol int

// Protocols.
const (
	AuthNone AuthProtocol = 0
	AuthPAP  AuthProtocol = 1
	AuthCHAP AuthProtocol = 2
)

// Maximum response times, after Quectel's manual, which are long for all.
const (
	attachTimeout = 140 * time.Second
	dialTimeout   = 180 * time.Second // ModemManager's
)

// Contexts reads the definitions.
func (m *Modem) Contexts(ctx context.Context) ([]PDPContext, error) {
	info, err := m.command(ctx, "+CGDCONT?")
	if err != nil {
		return nil, fmt.Errorf("reading the contexts: %w", err)
	}
	var out []PDPContext
	for _, line := range info {
		c, err := parseCGDCONT(line)
		if err != nil {
			return nil, fmt.Errorf("reading the contexts: %w", err)
		}
		out = append(out, c)
	}
	return out, nil
}

func parseCGDCONT(line string) (PDPContext, error) {
	f, err := values(line, "+CGDCONT", 3)
	if err != nil {
		return PDPContext{}, err
	}
	cid, err := number("the context id", f[0], 0, 255)
	if err != nil {
		return PDPContext{}, err
	}
	return PDPContext{CID: cid, Type: PDPType(strings.ToUpper(f[1])), APN: f[2]}, nil
}

// DefineContext sets a context, unless it is so already: modems keep definitions, and writing one to flash each time wears it.
func (m *Modem) DefineContext(ctx context.Context, c PDPContext) error {
	apn, err := quote("the APN", c.APN)
	if err != nil {
		return fmt.Errorf("defining context %d: %w", c.CID, err)
	}
	have, err := m.Contexts(ctx)
	if err != nil && !Refused(err) {
		m.log.Debug("contexts unreadable", "error", err)
	}
	for _, h := range have {
		// The network may have added its own labels: "iot.t-mobile.nl.mnc040.mcc901.gprs".
		if h.CID == c.CID && h.Type == c.Type && (strings.EqualFold(h.APN, c.APN) || hasLabels(h.APN, c.APN)) {
			return nil
		}
	}
	if _, err := m.command(ctx, fmt.Sprintf("+CGDCONT=%d,\"%s\",%s", c.CID, c.Type, apn)); err != nil {
		return fmt.Errorf("defining context %d: %w", c.CID, err)
	}
	return nil
}

// hasLabels tells an APN that is the network identifier with an operator identifier behind (23.003, 9.1).
func hasLabels(full, apn string) bool {
	rest, ok := strings.CutPrefix(strings.ToLower(full), strings.ToLower(apn)+".mnc")
	return ok && strings.HasSuffix(rest, ".gprs")
}

// Auth sets the context's user and password in the modem. PPP asks for them as well, but some modems use only these. A modem
// that has no such command is left to PPP.
func (m *Modem) Auth(ctx context.Context, cid int, p AuthProtocol, user, password string) error {
	v := m.vendor()
	cmd := fmt.Sprintf(v.NoAuth, cid)
	if p != AuthNone {
		u, err := quote("the user", user)
		if err != nil {
			return fmt.Errorf("setting the user of context %d: %w", cid, err)
		}
		pw, err := quote("the password", password)
		if err != nil {
			return fmt.Errorf("setting the user of context %d: %w", cid, err)
		}
		cmd = fmt.Sprintf(v.Auth, cid, p, u, pw)
	}
	_, err := m.command(ctx, cmd)
	if Refused(err) {
		m.log.Debug("the modem takes no user for a context", "error", err)
		return nil
	}
	if err != nil {
		return fmt.Errorf("setting the user of context %d: %w", cid, err)
	}
	return nil
}

// Attached reads +CGATT (27.007, 10.1.9).
func (m *Modem) Attached(ctx context.Context) (bool, error) {
	v, err := m.value(ctx, "+CGATT?", "+CGATT")
	if err != nil {
		return false, fmt.Errorf("reading the attachment: %w", err)
	}
	n, err := number("the attachment", v, 0, 1)
	if err != nil {
		return false, fmt.Errorf("reading the attachment: %w", err)
	}
	return n == 1, nil
}

// Attach attaches to packet service.
func (m *Modem) Attach(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, attachTimeout)
	defer cancel()
	if _, err := m.line.Command(ctx, "+CGATT=1"); err != nil {
		return fmt.Errorf("attaching to packet service: %w", err)
	}
	return nil
}

// Call is a data call that is up.
type Call struct {
	*atline.Data
	Text  string // "CONNECT 150000000"
	Speed int    // bit/s, as the modem claims; 0: not told
}

// Dial calls the context, and returns the port in data mode.
func (m *Modem) Dial(ctx context.Context, cid int) (*Call, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	var first error
	for _, format := range m.vendor().Dial {
		data, text, err := m.data.Connect(ctx, fmt.Sprintf(format, cid))
		if err == nil {
			return &Call{Data: data, Text: text, Speed: parseConnect(text)}, nil
		}
		if first == nil {
			first = err
		}
		if !errors.Is(err, atline.ErrError) { // only a plain ERROR may mean that it does not know the command
			break
		}
	}
	return nil, fmt.Errorf("dialling context %d: %w", cid, first)
}

// parseConnect reads the speed of "CONNECT 150000000" or "CONNECT 115200/V42".
func parseConnect(text string) int {
	v := strings.TrimSpace(strings.TrimPrefix(text, "CONNECT"))
	end := strings.IndexFunc(v, func(r rune) bool { return r < '0' || r > '9' })
	if end >= 0 {
		v = v[:end]
	}
	n, err := strconv.Atoi(v)
	if err != nil {
		return 0
	}
	return n
}

// HangUp ends the call on the dialling port, however it stands: it takes the port back with +++ where the modem is still in data
// mode. With no call it does nothing.
func (m *Modem) HangUp(ctx context.Context) error {
	if !m.data.Online() {
		return nil
	}
	if err := m.data.Escape(ctx); err != nil {
		return fmt.Errorf("hanging up: %w", err)
	}
	if _, err := m.data.Command(ctx, "H"); err != nil && !Refused(err) {
		return fmt.Errorf("hanging up: %w", err)
	}
	return nil
}

// Cause reads why the last call failed (V.250 has no word for it; +CEER of 27.007 is text of the modem's own).
func (m *Modem) Cause(ctx context.Context) (string, error) {
	return m.value(ctx, "+CEER", "+CEER")
}
