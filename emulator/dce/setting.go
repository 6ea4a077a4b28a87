package dce

import (
	"slices"
	"strconv"
	"strings"
)

// bySetting brings the settings of one command together.
func bySetting(all []Setting) [][]Setting {
	var groups [][]Setting
	for _, s := range all {
		i := slices.IndexFunc(groups, func(g []Setting) bool { return g[0].Command == s.Command })
		if i < 0 {
			groups = append(groups, []Setting{s})
			continue
		}
		groups[i] = append(groups[i], s)
	}
	return groups
}

// keeps is a command that stores its parameters.
func keeps(group []Setting) *command {
	if group[0].Key != "" {
		return keepsKeyed(group)
	}
	s := group[0]
	c := &command{
		name: s.Command,
		read: func(x *exchange) result {
			x.info(s.Command + ": " + x.m.value(s.Command) + s.Tail)
			return resultOK
		},
		test: says(),
		exec: func(x *exchange) result { return x.m.keep(&s, s.Default) }, // V.250 section 5.4.2.1: left out means the default
		raw:  func(x *exchange, text string) result { return x.m.keep(&s, text) },
	}
	if s.Test != "" {
		c.test = says(s.Test)
	}
	return c
}

// keepsKeyed is AT+QCFG="key" and AT+QCFG="key",value.
func keepsKeyed(group []Setting) *command {
	var tests []string
	for _, s := range group {
		if s.Test != "" {
			tests = append(tests, s.Test)
		}
	}
	return &command{
		name: group[0].Command,
		test: says(tests...),
		raw: func(x *exchange, text string) result {
			key, value, set := strings.Cut(text, ",")
			key = strings.Trim(strings.TrimSpace(key), `"`)
			i := slices.IndexFunc(group, func(s Setting) bool { return strings.EqualFold(s.Key, key) })
			if i < 0 {
				return resultError
			}
			s := &group[i]
			if set {
				return x.m.keep(s, strings.TrimSpace(value))
			}
			x.info(s.Command + `: "` + s.Key + `",` + x.m.value(s.name()))
			return resultOK
		},
	}
}

// name is what the value is kept under.
func (s *Setting) name() string {
	if s.Key == "" {
		return s.Command
	}
	return s.Command + "=" + s.Key
}

func (m *Modem) value(name string) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.values[name]
}

func (m *Modem) keep(s *Setting, value string) result {
	match := s.allow.FindStringSubmatch(value)
	if match == nil {
		return cmeError(cmeIncorrectParams)
	}
	if i := s.allow.SubexpIndex("value"); i >= 0 {
		value = match[i]
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.values[s.name()] = value
	if to, ok := s.URC[strings.Trim(value, `"`)]; ok {
		m.urcTo = to
	}
	if first, _, _ := strings.Cut(value, ","); s.DLCI {
		m.urcDLCI, _ = strconv.Atoi(first)
	}
	return resultOK
}
