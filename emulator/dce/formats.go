package dce

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// formatLocals are the answers of built-in commands that a personality can write its own way, and the values that only they have.
var formatLocals = map[string][]string{
	"+CPIN":      nil,
	"+CSQ":       nil,
	"+CESQ":      nil,
	"+CEER":      {"cause"},
	"+CNUM":      {"number", "number_type"},
	"+CCLK":      {"time"},
	"+CTZV":      {"tz", "time", "utc"},
	"+CTZE":      {"tz", "time", "utc"},
	"+CGACT":     nil,
	"+CGDCONT":   {"any", "any_short", "options"}, // the address field of a context that is to get one; the parameters behind it
	"+CGAUTH":    nil,
	"+CGPADDR":   nil,
	"+CGCONTRDP": nil,

	"registration":       {"command", "n", "stat", "place", "cause"}, // +CREG? and its relatives
	"registration-urc":   {"command", "stat", "place", "cause"},
	"registration-place": nil,                             // while registered, with <n> 2 and more
	"registration-cause": {"cause_type", "reject"},        // with <n> 3 and 5, while denied
	"registration-psm":   {"active_time", "periodic_tau"}, // with <n> 4 and 5, while registered with power saving

	"+COPS":       {"mode", "format", "name"},
	"+COPS-none":  {"mode"}, // without a network
	"+COPS-scan":  {"list"},
	"+COPS-entry": {"state", "long", "short", "number"},

	"+CGEV-act":      nil, // the modem activated a context
	"+CGEV-deact":    nil, // it deactivated one
	"+CGEV-nw-deact": nil, // the network did
}

// prepareFormats takes the formats apart. All must be there: the standards have each.
func (p *Personality) prepareFormats() error {
	p.formats = map[string]template{}
	for name, f := range p.Formats {
		locals, known := formatLocals[name]
		if !known {
			return fmt.Errorf("formats %q: not known, allowed are %s", name, strings.Join(slices.Sorted(maps.Keys(formatLocals)), ", "))
		}
		t, err := parseTemplate(f.Value, func(v string) bool { return knownVar(v) || slices.Contains(locals, v) })
		if err != nil {
			return fmt.Errorf("formats %q: %w", name, err)
		}
		p.formats[name] = t
	}
	for name := range formatLocals {
		if _, ok := p.formats[name]; !ok {
			return fmt.Errorf("formats: %q is missing", name)
		}
	}
	return nil
}

// formatLocked writes the answer of a built-in command; c is the context that it is about, or nil.
func (m *Modem) formatLocked(name string, c *pdpContext, locals map[string]any) string {
	p := place{m: m, context: c, locals: locals}
	return m.personality.formats[name].fill(p.value)
}
