package field

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"minato/testbench/access"
	"minato/testbench/neterr"
)

// tryWrongOption does what users do wrong most often: it speaks each service's protocol, without TLS, to a mapping with the option ON. The relay has to
// end the connection in order, without a byte, and its log has to say what was wrong.
func (c *Check) tryWrongOption(ctx context.Context, s *story) (string, *access.Problem) {
	var (
		wg      sync.WaitGroup
		mu      sync.Mutex // guards codes and problem
		codes   []string
		problem *access.Problem
	)
	for _, t := range c.targets {
		if len(t.codes) == 0 || !t.reached() {
			continue
		}
		wg.Go(func() { // ends within the patience
			code, p := t.mistaken(ctx, s)
			mu.Lock()
			defer mu.Unlock()
			if p != nil {
				problem = p
				return
			}
			codes = append(codes, t.Name+" "+code)
		})
	}
	wg.Wait()
	if problem != nil {
		return "", problem
	}
	if len(codes) == 0 {
		return "", errNothing
	}
	slices.Sort(codes)
	return "turned away in order and named: " + strings.Join(codes, ", "), nil
}

// mistaken makes the mistake with one service, and gives the code that the relay named.
func (t *target) mistaken(ctx context.Context, s *story) (code string, problem *access.Problem) {
	c := t.check
	m := t.mapping
	if !t.TLS { // what belongs on OFF is tried on a mapping of its own
		made, err := c.makeMapping(ctx, t.Port, true)
		if err != nil {
			return "", c.cfg.Relay.Explain(err)
		}
		m = made
		for _, w := range m.Warnings {
			s.logf("%s: the relay warns: %s %s", t.Name, w.Code, w.Message)
		}
	}
	conn, at, err := c.dial(ctx, m, false, nil)
	if err != nil {
		return "", c.why(ctx, m, at, err)
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	conn.SetDeadline(time.Now().Add(c.cfg.Patience)) // an error shows in the next call
	if _, err := conn.Write(t.mistake); err != nil {
		return "", c.why(ctx, m, speaking, err)
	}
	got, err := io.ReadAll(io.LimitReader(conn, 64))
	switch {
	case ctx.Err() != nil:
		return "", &access.Problem{Text: "interrupted", Err: ctx.Err()}
	case len(got) > 0:
		return "", &access.Problem{Text: fmt.Sprintf("%s without TLS got %q from a mapping with the option ON", t.Name, got), Cure: "something on the way answers in the relay's place: a proxy or a firewall"}
	case neterr.Timeout(err):
		return "", &access.Problem{Text: t.Name + " without TLS is not turned away by a mapping with the option ON", Cure: "a proxy on the way holds connections open", Err: err}
	case err != nil:
		s.logf("%s: ended by %v rather than in order", t.Name, err)
	}
	entry, found := c.audited(ctx, m)
	if !found {
		return "", &access.Problem{Text: "the relay's log does not say why " + t.Name + " without TLS was turned away", Cure: "something on the way ends connections in the relay's place; or the key may not read the log", Err: err}
	}
	s.logf("%s without TLS: %s %s", t.Name, entry.Code, entry.Reason)
	if !slices.Contains(t.codes, entry.Code) {
		p := fromEntry(entry, m, errors.New("the wrong option was taken on purpose"))
		return "", p
	}
	return entry.Code, nil
}
