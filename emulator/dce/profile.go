package dce

import (
	"fmt"
	"slices"
)

// profile is what &W stores and Z gives back (V.250 section 6.1.1), and what &F gives (section 6.1.2). Which settings are in it is the
// maker's choice: line.factory and line.stored of the personality.
type profile struct {
	port   settings // of the port; those that the list names count
	shared []func() // sets each setting of the modem back, with Modem.mu held
}

// portSettings are those that each port has for itself. An S-register is S and its number.
var portSettings = map[string]func(to, from *settings){
	"E":     func(to, from *settings) { to.echo = from.echo },
	"Q":     func(to, from *settings) { to.quiet = from.quiet },
	"V":     func(to, from *settings) { to.verbose = from.verbose },
	"X":     func(to, from *settings) { to.x = from.x },
	"&C":    func(to, from *settings) { to.c = from.c },
	"&D":    func(to, from *settings) { to.d = from.d },
	"+CMEE": func(to, from *settings) { to.cmee = from.cmee },
	"+IPR":  func(to, from *settings) { to.rate = from.rate },
}

// modemSettings are those that all ports share, without the personality's own.
var modemSettings = map[string]func(m *Modem) (restore func()){
	"+CREG":   field(func(m *Modem) *int { return &m.reg.report[0] }),
	"+CGREG":  field(func(m *Modem) *int { return &m.reg.report[1] }),
	"+CEREG":  field(func(m *Modem) *int { return &m.reg.report[2] }),
	"+CMER":   field(func(m *Modem) *[5]int { return &m.cmer }),
	"+CGEREP": eventLevel,
	"+CUSD":   field(func(m *Modem) *int { return &m.ussd }),
	"+CRC":    report("+CRC"),
	"+CLIP":   report("+CLIP"),
	"+CCWA":   report("+CCWA"),
	"+CMGF":   field(func(m *Modem) *bool { return &m.messages.text }),
	"+CSMS":   field(func(m *Modem) *int { return &m.messages.service }),
	"+CPMS":   field(func(m *Modem) *[3]string { return &m.messages.memories }),
	"+CSDH":   field(func(m *Modem) *bool { return &m.messages.details }),
	"+CSMP":   field(func(m *Modem) *submitDefaults { return &m.messages.defaults }),
	"+CNMI":   field(func(m *Modem) *[5]int { return &m.messages.routing }),
}

// field keeps a setting as it is now.
func field[T any](where func(m *Modem) *T) func(m *Modem) (restore func()) {
	return func(m *Modem) func() {
		value := *where(m)
		return func() { *where(m) = value }
	}
}

// eventLevel leaves alone what events are kept.
func eventLevel(m *Modem) (restore func()) {
	mode, bfr := m.gerep.mode, m.gerep.bfr
	return func() { m.gerep.mode, m.gerep.bfr = mode, bfr }
}

func report(name string) func(m *Modem) (restore func()) {
	return func(m *Modem) func() {
		on := m.reports[name]
		return func() { m.reports[name] = on }
	}
}

// sharedLocked keeps those settings of a list that all ports share.
func (m *Modem) sharedLocked(list []string) []func() {
	var shared []func()
	for _, name := range list {
		if hold := modemSettings[name]; hold != nil {
			shared = append(shared, hold(m))
		} else if value, is := m.values[name]; is {
			shared = append(shared, func() { m.values[name] = value })
		}
	}
	return shared
}

// takePort gives a port those of a profile's settings that the list names.
func (s *settings) takePort(from *settings, list []string) {
	for _, name := range list {
		if take := portSettings[name]; take != nil {
			take(s, from)
		} else if n, is := registerNumber(name); is {
			s.s[n] = from.s[n]
		}
	}
}

// registerNumber reads S7.
func registerNumber(name string) (n int, is bool) {
	for n := range registers {
		if name == fmt.Sprintf("S%d", n) {
			return n, true
		}
	}
	return 0, false
}

func (p *Personality) validateProfile() error {
	all := slices.Concat(p.Line.Factory.Value, p.Line.Stored.Value)
	for _, name := range all {
		_, register := registerNumber(name)
		own := slices.ContainsFunc(p.Settings, func(s Setting) bool { return s.Command == name && s.Key == "" })
		if portSettings[name] == nil && modemSettings[name] == nil && !register && !own && !p.replaces(name) {
			return fmt.Errorf("line.factory, line.stored: %q is not a setting", name)
		}
	}
	return nil
}

// power is what a port is set to after power-on: the factory's settings, and over them what AT&W stored.
func (m *Modem) power() settings {
	s := m.personality.factory()
	m.mu.Lock()
	defer m.mu.Unlock()
	if p := m.stored[0]; p != nil {
		s.takePort(&p.port, m.personality.Line.Stored.Value)
	}
	return s
}

func factoryReset(x *exchange) result {
	x.p.change(func(s *settings) {
		rate := s.rate
		*s = x.m.personality.factory()
		s.rate = rate
	})
	x.m.restore(x.m.factory)
	return resultOK
}

// profileReset is Z; it also hangs up (V.250 section 6.1.1). Without a profile of that number it is the factory's.
func profileReset(x *exchange, inv invocation) result {
	if inv.num >= max(1, x.m.personality.Line.Profiles.Value) {
		return resultError
	}
	x.p.hangUp(hangUpLocal)
	x.m.mu.Lock()
	from := x.m.stored[inv.num]
	x.m.mu.Unlock()
	if from == nil {
		from = x.m.unstored
	}
	x.p.change(func(s *settings) {
		rate := s.rate
		s.takePort(&from.port, x.m.personality.Line.Stored.Value)
		s.rate = rate
	})
	x.m.restore(from.shared)
	return resultOK
}

func profileStore(x *exchange, inv invocation) result {
	if inv.num >= x.m.personality.Line.Profiles.Value {
		return resultError
	}
	s := x.p.settings()
	x.m.mu.Lock()
	defer x.m.mu.Unlock()
	x.m.stored[inv.num] = &profile{port: s.clone(), shared: x.m.sharedLocked(x.m.personality.Line.Stored.Value)}
	return resultOK
}

// restore sets settings of the modem back, and does what the commands would that set them: +CNMI lets go of results, +CPMS may give room.
func (m *Modem) restore(shared []func()) {
	m.mu.Lock()
	for _, set := range shared {
		set()
	}
	told, keep := m.messages.letGo(), m.messages.routing[0] == 2
	m.roomLocked()
	m.mu.Unlock()
	m.tellIndicators()
	for _, text := range told {
		m.tell(text, keep)
	}
}
