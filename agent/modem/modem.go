// Package modem is what a cellular modem can do, as typed operations on an AT line: who it is, its SIM, its registration, its
// packet data contexts, and the dial that ends in PPP.
//
//	m := modem.New(line, modem.Config{})
//	if err := m.Init(ctx); err != nil { ... }
//	id, err := m.Identify(ctx)
//	reg, err := m.Registration(ctx)
//
// The operations are those of 3GPP TS 27.007; where vendors differ, a Profile, which is data, says how.
package modem

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"minato/agent/atline"
)

// Config of a Modem. The zero value works.
type Config struct {
	Logger *slog.Logger // nil: silent
	Guard  *PINGuard    // remembers refused PINs; share one between the modems of a process. nil: a new one
	Data   *atline.Line // where calls are dialled; nil: on the AT line itself
}

// Modem is a modem behind an AT line.
type Modem struct {
	line  *atline.Line
	data  *atline.Line
	log   *slog.Logger
	guard *PINGuard

	mu      sync.Mutex // guards what follows
	profile *Profile
	iccid   string
}

// New makes a modem on a line. Nothing is sent.
func New(line *atline.Line, cfg Config) *Modem {
	m := &Modem{line: line, data: cfg.Data, log: cfg.Logger, guard: cfg.Guard, profile: &generic}
	if m.data == nil {
		m.data = line
	}
	if m.log == nil {
		m.log = slog.New(slog.DiscardHandler)
	}
	if m.guard == nil {
		m.guard = NewPINGuard(nil)
	}
	return m
}

// Init puts the AT line into the form that the agent reads: no echo, verbose results, numeric errors, and carrier lines that follow
// the call. What a modem does not know is skipped, except for the first line.
func (m *Modem) Init(ctx context.Context) error {
	for _, line := range m.lines() {
		if _, err := query(ctx, line, "E0V1"); err != nil {
			return fmt.Errorf("preparing the modem: %w", err)
		}
		for _, cmd := range []string{"+CMEE=1", "&C1", "&D2"} {
			if _, err := query(ctx, line, cmd); err != nil && !Refused(err) {
				return fmt.Errorf("preparing the modem: %w", err)
			}
		}
	}
	return nil
}

// Recover takes a modem that does not answer out of a call that an earlier process left, and ends it. Two ports take no longer
// than one: which of them has the call is not known, and the other does not answer to an escape.
func (m *Modem) Recover(ctx context.Context) error {
	var g errgroup.Group
	for _, line := range m.lines() {
		g.Go(func() error {
			err := line.Recover(ctx)
			if err == nil {
				_, err = line.Command(ctx, "H")
			}
			if err != nil && !Refused(err) {
				return fmt.Errorf("recovering the modem: %w", err)
			}
			return nil
		})
	}
	return g.Wait()
}

func (m *Modem) lines() []*atline.Line {
	if m.data == m.line {
		return []*atline.Line{m.line}
	}
	return []*atline.Line{m.line, m.data}
}

// Refused tells an error that is the modem's answer from one of the line.
func Refused(err error) bool {
	var cme atline.CMEError
	var cms atline.CMSError
	var call atline.ConnectError
	return errors.Is(err, atline.ErrError) || errors.As(err, &cme) || errors.As(err, &cms) || errors.As(err, &call)
}

// queryTimeout is for commands that the modem answers by itself: 300 ms by the manuals, some seconds while it boots.
const queryTimeout = 10 * time.Second

// command sends a command that does not wait for the network.
func (m *Modem) command(ctx context.Context, cmd string) ([]string, error) {
	return query(ctx, m.line, cmd)
}

func query(ctx context.Context, line *atline.Line, cmd string) ([]string, error) {
	qctx, cancel := context.WithTimeout(ctx, queryTimeout)
	defer cancel()
	info, err := line.Command(qctx, cmd)
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		return nil, fmt.Errorf("%w to AT%s within %v", atline.ErrNoReply, atline.Redact(cmd), queryTimeout)
	}
	return info, err
}

// first sends the commands in turn until one is not refused, and returns its lines.
func (m *Modem) first(ctx context.Context, cmds ...string) ([]string, error) {
	var refused error
	for _, cmd := range cmds {
		info, err := m.command(ctx, cmd)
		if err == nil && len(info) > 0 {
			return info, nil
		}
		if err == nil {
			err = fmt.Errorf("AT%s: %w", cmd, errNoLine)
		} else if !Refused(err) {
			return nil, err
		}
		if refused == nil {
			refused = err
		}
	}
	return nil, refused
}

var errNoLine = errors.New("the modem answers without a value")

// value sends a command and returns what follows name and colon in its first line of that name.
func (m *Modem) value(ctx context.Context, cmd, name string) (string, error) {
	info, err := m.command(ctx, cmd)
	if err != nil {
		return "", err
	}
	for _, line := range info {
		if v, ok := strings.CutPrefix(line, name+":"); ok {
			return strings.TrimSpace(v), nil
		}
	}
	return "", fmt.Errorf("AT%s: %w", atline.Redact(cmd), errNoLine)
}
