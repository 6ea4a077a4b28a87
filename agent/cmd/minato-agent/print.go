package main

import (
	"fmt"
	"strings"
	"time"

	"minato/agent"
)

// printCheck prints a tree of checks, one line each.
func (p *program) printCheck(c agent.Check, depth int) {
	mark := "ok  "
	switch {
	case c.Skipped:
		mark = "--  "
	case !c.OK:
		mark = "FAIL"
	}
	fmt.Fprintf(p.out, "%s %s%s", mark, strings.Repeat("  ", depth), c.Name)
	if c.Code != "" {
		fmt.Fprintf(p.out, " [%s]", c.Code)
	}
	if c.Detail != "" && !c.Skipped {
		fmt.Fprintf(p.out, ": %s", oneLine(c.Detail))
	}
	fmt.Fprintln(p.out)
	if c.Hint != "" {
		fmt.Fprintf(p.out, "     %shint: %s\n", strings.Repeat("  ", depth), oneLine(c.Hint))
	}
	for _, sub := range c.Checks {
		p.printCheck(sub, depth+1)
	}
}

// oneLine keeps what a modem wrote from spoiling the terminal.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r < 0xa0 {
			return ' '
		}
		return r
	}, s)
}

// printStatus prints what the agent knows.
func (p *program) printStatus(s agent.Status) {
	p.printCheck(s.Checks(), 0)
	fmt.Fprintf(p.out, "\n%s since %s, round %d", s.State, s.Since.Format(time.DateTime), s.Rounds)
	if s.Failure != nil {
		fmt.Fprintf(p.out, "; next %s in %v", s.Failure.Cure, time.Until(s.Failure.At.Add(time.Duration(s.Failure.RetryIn*float64(time.Second)))).Round(time.Second))
	}
	fmt.Fprintln(p.out)
	if line := sparkline(s.SignalHistory); line != "" {
		fmt.Fprintln(p.out, "signal  ", line)
	}
	for _, sv := range s.Services {
		fmt.Fprintf(p.out, "service  %-12s port %-5d %d connections, %d so far\n", oneLine(sv.Name), sv.Port, sv.Active, sv.Total)
	}
	for _, f := range s.Forwards {
		fmt.Fprintf(p.out, "forward  %s to %s  %d connections, %d so far %s\n", f.Listen, f.To, f.Active, f.Total, oneLine(f.Error))
	}
}

// sparkline draws the power of the last samples, from the weakest to the strongest that LTE knows.
func sparkline(history []agent.SignalSample) string {
	const width, weakest, strongest = 60, -125, -75 // dBm, of RSRP
	bars := []rune("▁▂▃▄▅▆▇█")
	if len(history) > width {
		history = history[len(history)-width:]
	}
	var line strings.Builder
	low, high := 0, -1000
	for _, h := range history {
		v := h.RSRP
		if v == nil {
			continue
		}
		low, high = min(low, *v), max(high, *v)
		line.WriteRune(bars[min(max((*v-weakest)*len(bars)/(strongest-weakest), 0), len(bars)-1)])
	}
	if line.Len() == 0 {
		return ""
	}
	return fmt.Sprintf("%s  RSRP %d to %d dBm since %s", &line, low, high, history[0].At.Format(time.TimeOnly))
}
