package dce

import (
	"context"
	"regexp"
	"time"
)

// command is one row of a family's table. A form whose handler is nil is refused.
type command struct {
	name  string
	needs need
	exec  handler
	read  handler
	test  handler
	set   func(x *exchange, a args) result
	basic func(x *exchange, inv invocation) result // takes everything, in place of the four
}

type handler func(x *exchange) result

// need is what must be there for exec, read and set; test always answers.
type need int

const (
	needNothing need = iota
	needCard         // a card, locked or not
	needSIM          // a card that is not locked
)

// needsByName are the needs that a personality's replies can have.
var needsByName = map[string]need{"card": needCard, "sim": needSIM}

// families are all tables of commands, one a file.
var families = []func() []command{
	basicCommands,
	identityCommands,
	simCommands,
	networkCommands,
	packetCommands,
	quectelCommands,
	smsCommands,
	supplementaryCommands,
	clockCommands,
}

// commands is the table of this modem: all families, what its personality adds, less what it takes away.
func (m *Modem) commands() map[string]*command {
	table := map[string]*command{}
	for _, family := range families {
		for _, c := range family() {
			table[c.name] = &c
		}
	}
	for _, s := range m.personality.Settings {
		table[s.Command] = keeps(s)
	}
	for _, r := range m.personality.Replies {
		table[r.Command] = fixed(r, table[r.Command])
	}
	for _, o := range m.personality.Omit {
		delete(table, o.Command)
	}
	return table
}

// fixed is a command with answers that are data. Forms that it leaves out fall to a built-in command of that name.
func fixed(r Reply, built *command) *command {
	c := command{name: r.Command}
	if built != nil {
		c = *built
	}
	if need, ok := needsByName[r.Needs]; ok {
		c.needs = need
	}
	answer := func(lines []string) handler {
		return func(x *exchange) result {
			for _, l := range lines {
				x.info(x.m.fill(l))
			}
			return resultOK
		}
	}
	if r.Exec != nil {
		c.exec = answer(r.Exec)
	}
	if r.Read != nil {
		c.read = answer(r.Read)
	}
	if r.Test != nil {
		c.test = answer(r.Test)
	}
	if r.Set {
		c.set = func(*exchange, args) result { return resultOK }
	}
	return &c
}

// keeps is a command that only stores its parameters.
func keeps(s Setting) *command {
	allow := regexp.MustCompile("^(?:" + s.Allow + ")$") // checked by the loader
	return &command{
		name: s.Command,
		read: func(x *exchange) result {
			x.m.mu.Lock()
			v := x.m.values[s.Command]
			x.m.mu.Unlock()
			x.info(s.Command + ": " + v)
			return resultOK
		},
		test: says(s.Test),
		basic: func(x *exchange, inv invocation) result {
			if inv.form == formExec {
				inv.text = s.Default // V.250 section 5.4.2.1: left out means the default
			}
			if !allow.MatchString(inv.text) {
				return resultError
			}
			x.m.mu.Lock()
			x.m.values[s.Command] = inv.text
			x.m.mu.Unlock()
			return resultOK
		},
	}
}

// says answers with fixed lines.
func says(lines ...string) handler {
	return func(x *exchange) result {
		x.info(lines...)
		return resultOK
	}
}

// exchange is one command line under way.
type exchange struct {
	ctx   context.Context
	p     *port
	m     *Modem
	out   []byte   // echo and information text so far
	lines []string // of the command under way
}

// line carries out the commands of a line; the first that fails ends it.
func (x *exchange) line(body string) result {
	s := scanner{rest: body}
	r := resultOK
	for {
		inv, more, err := s.next()
		if err != nil {
			x.p.log.Debug("command line refused", "error", err)
			return resultError
		}
		if !more {
			return r
		}
		x.lines = nil
		one := x.command(inv)
		x.flushInfo()
		if one.after != nil && r.after == nil {
			r.after = one.after
		}
		if !one.ok() {
			one.after = r.after
			return one
		}
	}
}

func (x *exchange) command(inv invocation) result {
	c := x.m.table[inv.name]
	if c == nil {
		return resultError
	}
	if inv.form != formTest && c.needs != needNothing {
		x.m.mu.Lock()
		inserted := x.m.sim.inserted
		r, ready := x.m.sim.check()
		x.m.mu.Unlock()
		if !ready && (c.needs == needSIM || !inserted) {
			return r
		}
	}
	var h handler
	switch {
	case inv.form == formRead && c.read != nil:
		h = c.read
	case inv.form == formTest && c.test != nil:
		h = c.test
	case c.basic != nil && inv.form != formTest && (inv.form != formRead || inv.name == "S"):
		return c.basic(x, inv)
	case inv.form == formExec && c.exec != nil:
		h = c.exec
	case inv.form == formSet && c.set != nil:
		a, err := splitArgs(inv.text)
		if err != nil {
			return resultError
		}
		return c.set(x, a)
	}
	if h == nil {
		return resultError
	}
	return h(x)
}

// info adds information text, a line each.
func (x *exchange) info(lines ...string) { x.lines = append(x.lines, lines...) }

// flushInfo formats the information text of one command (V.250 section 5.7.1): one header and trailer for all its lines.
func (x *exchange) flushInfo() {
	if len(x.lines) == 0 {
		return
	}
	s := x.p.settings()
	if s.verbose {
		x.out = append(x.out, s.crlf()...)
	}
	for _, l := range x.lines {
		x.out = append(x.out, l...)
		x.out = append(x.out, s.crlf()...)
	}
	x.lines = nil
}

// wait lets a delay of the personality pass. What there is to say so far goes out first.
func (x *exchange) wait(d Fact[time.Duration]) {
	if x.m.scaled(d.Value) <= 0 {
		return
	}
	x.p.out.send(x.out)
	x.out = nil
	x.m.sleep(x.ctx, d.Value)
}
