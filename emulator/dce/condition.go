package dce

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// conditions are the words of "when" in a personality. They are called with Modem.mu held.
var conditions = map[string]func(m *Modem) bool{
	"sim":        func(m *Modem) bool { return m.sim.inserted },
	"unlocked":   func(m *Modem) bool { return m.sim.ready() },
	"radio":      func(m *Modem) bool { return m.functions == 1 },
	"registered": func(m *Modem) bool { return m.reg.stat.registered() },
	"roaming":    func(m *Modem) bool { return m.reg.stat == RegisteredRoaming },
	"searching":  func(m *Modem) bool { return m.reg.stat == Searching },
	"denied":     func(m *Modem) bool { return m.reg.stat == RegistrationDenied },
	"active":     func(m *Modem) bool { return m.anyActiveLocked() },
	"session":    func(m *Modem) bool { return m.sessionLocked() },
	"online":     func(m *Modem) bool { return m.onlineLocked() },
	"ringing":    func(m *Modem) bool { return m.voice.state == voiceRinging },
	"talking":    func(m *Modem) bool { return m.voice.state == voiceActive },
}

// condition is words that must all hold; a leading "no-" turns one round. "" always holds. A word may also be a setting with the value
// that it has: +QGPS=1.
type condition struct {
	text     string
	words    []func(m *Modem) bool
	settings []string // those that are asked
}

func parseCondition(text string) (condition, error) {
	c := condition{text: text}
	for _, w := range strings.Fields(text) {
		name, not := strings.CutPrefix(w, "no-")
		f := conditions[name]
		if setting, value, ok := strings.Cut(name, "="); ok {
			c.settings = append(c.settings, setting)
			f = func(m *Modem) bool { return m.values[setting] == value }
		}
		if f == nil {
			return c, fmt.Errorf("when %q: %q is not known; allowed are %s, and settings with their values, each also with no- before it", text, w, strings.Join(slices.Sorted(maps.Keys(conditions)), ", "))
		}
		c.words = append(c.words, func(m *Modem) bool { return f(m) != not })
	}
	return c, nil
}

func (c *condition) holds(m *Modem) bool {
	for _, w := range c.words {
		if !w(m) {
			return false
		}
	}
	return true
}

// anyActiveLocked tells that a PDP context is active.
func (m *Modem) anyActiveLocked() bool {
	for _, c := range m.contexts {
		if m.activeLocked(c) {
			return true
		}
	}
	return false
}

// sessionLocked tells that one is used: by a call, or since +CGACT=1.
func (m *Modem) sessionLocked() bool {
	for _, c := range m.contexts {
		if c.session != nil {
			return true
		}
	}
	return false
}

// onlineLocked tells that a data call carries one.
func (m *Modem) onlineLocked() bool {
	for _, c := range m.contexts {
		if c.session != nil && c.call != nil {
			return true
		}
	}
	return false
}
