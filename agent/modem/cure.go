package modem

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
)

// Maximum response times of what talks to the network, after Quectel's manual.
const (
	functionalityTimeout = 20 * time.Second
	activationTimeout    = 150 * time.Second
)

// Functionality is what the modem's radio does (27.007, 8.2).
type Functionality int

// Levels that all modems have.
const (
	FunctionalityFull  Functionality = 1
	FunctionalityNoRad Functionality = 4 // transmit and receive circuits off; the SIM stays
)

// Functionality reads +CFUN. A second value, which some modems add, is about a restart.
func (m *Modem) Functionality(ctx context.Context) (Functionality, error) {
	text, err := m.value(ctx, "+CFUN?", "+CFUN")
	if err != nil {
		return 0, fmt.Errorf("reading the functionality: %w", err)
	}
	level, _, _ := strings.Cut(text, ",")
	n, err := number("the functionality", level, 0, 127)
	if err != nil {
		return 0, fmt.Errorf("reading the functionality: %w", err)
	}
	return Functionality(n), nil
}

// SetFunctionality sets +CFUN.
func (m *Modem) SetFunctionality(ctx context.Context, f Functionality) error {
	ctx, cancel := context.WithTimeout(ctx, functionalityTimeout)
	defer cancel()
	if _, err := m.line.Command(ctx, fmt.Sprintf("+CFUN=%d", f)); err != nil {
		return fmt.Errorf("setting the functionality to %d: %w", f, err)
	}
	return nil
}

// RestartRadio switches the radio off and on. It is on in the end even where switching it off failed half-way.
func (m *Modem) RestartRadio(ctx context.Context) error {
	off := m.SetFunctionality(ctx, FunctionalityNoRad)
	if off != nil && !Refused(off) {
		return off
	}
	return errors.Join(off, m.SetFunctionality(ctx, FunctionalityFull))
}

// Reattach ends the context and the attachment, and attaches again.
func (m *Modem) Reattach(ctx context.Context, cid int) error {
	actx, cancel := context.WithTimeout(ctx, activationTimeout)
	defer cancel()
	if _, err := m.line.Command(actx, fmt.Sprintf("+CGACT=0,%d", cid)); err != nil && !Refused(err) { // most refuse where none is active
		return fmt.Errorf("deactivating context %d: %w", cid, err)
	}
	dctx, cancel := context.WithTimeout(ctx, attachTimeout)
	defer cancel()
	if _, err := m.line.Command(dctx, "+CGATT=0"); err != nil && !Refused(err) {
		return fmt.Errorf("detaching from packet service: %w", err)
	}
	return m.Attach(ctx)
}

// ContextActive reads whether a context is active (+CGACT?, 27.007, 10.1.10). known is false where the modem does not list it.
func (m *Modem) ContextActive(ctx context.Context, cid int) (active, known bool, err error) {
	info, err := m.command(ctx, "+CGACT?")
	if Refused(err) {
		return false, false, nil
	}
	if err != nil {
		return false, false, fmt.Errorf("reading the active contexts: %w", err)
	}
	for _, line := range info {
		f, err := values(line, "+CGACT", 2)
		if err != nil {
			continue
		}
		c, cerr := number("the context id", f[0], 0, 255)
		s, serr := number("the state", f[1], 0, 1)
		if cerr == nil && serr == nil && c == cid {
			return s == 1, true, nil
		}
	}
	return false, false, nil
}

// resetTimeout is how long a modem may take to confirm that it restarts. Some never do.
const resetTimeout = 5 * time.Second

// Reset restarts the whole modem by its vendor's command. The port mostly goes away: that is success.
func (m *Modem) Reset(ctx context.Context) error {
	var refused error
	for _, cmd := range m.vendor().Reset {
		cctx, cancel := context.WithTimeout(ctx, resetTimeout)
		_, err := m.line.Command(cctx, cmd)
		cancel()
		switch {
		case err == nil, errors.Is(err, io.EOF):
			return nil
		case ctx.Err() != nil:
			return ctx.Err()
		case !Refused(err):
			return fmt.Errorf("restarting the modem: %w", err)
		case refused == nil:
			refused = err
		}
	}
	return fmt.Errorf("restarting the modem: %w", refused)
}

// Boot is how long the modem takes to restart, at most.
func (m *Modem) Boot() time.Duration { return m.vendor().Boot }

// Multiplexes are the ways in which the modem starts 27.010.
func (m *Modem) Multiplexes() []Multiplex { return m.vendor().CMUX }

// Setup sends what the vendor's profile wants once. What the modem refuses is skipped.
func (m *Modem) Setup(ctx context.Context) error {
	for _, cmd := range m.vendor().Setup {
		if _, err := m.command(ctx, cmd); err != nil && !Refused(err) {
			return fmt.Errorf("setting the modem up: %w", err)
		}
	}
	return nil
}
