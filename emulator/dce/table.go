package dce

import (
	"context"
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
	raw   func(x *exchange, text string) result    // set, for one that takes its parameters apart itself
	basic func(x *exchange, inv invocation) result // takes everything, in place of the four
}

type handler func(x *exchange) result

// need is what must be there for exec, read and set; test always answers.
type need int

const (
	needNothing need = iota
	needIdle         // a card that is not busy, if there is one; what else is wrong with it the command tells
	needCard         // a card, locked or not
	needSIM          // a card that is not locked
)

// needsByName are the needs that a personality's replies can have.
var needsByName = map[string]need{"idle": needIdle, "card": needCard, "sim": needSIM}

// families are all tables of commands, one a file.
var families = []func() []command{
	basicCommands,
	identityCommands,
	simCommands,
	phonebookCommands,
	networkCommands,
	operatorCommands,
	indicatorCommands,
	clockCommands,
	voiceCommands,
	rateCommands,
	muxCommands,
	packetCommands,
	smsCommands,
	supplementaryCommands,
}

// commands is the table of this modem: all families, what its personality adds, less what it takes away.
func (m *Modem) commands() map[string]*command {
	table := map[string]*command{}
	for _, family := range families {
		for _, c := range family() {
			table[c.name] = &c
		}
	}
	for _, group := range bySetting(m.personality.Settings) {
		table[group[0].Command] = keeps(group)
	}
	for _, r := range m.personality.Replies {
		table[r.Command] = answered(r, table[r.Command])
	}
	for _, o := range m.personality.Omit {
		if o.Key == "" {
			delete(table, o.Command)
		}
	}
	return table
}

// answered is a command whose answers are data. Forms and parameters that it leaves out fall to a built-in command of that name.
func answered(r Reply, built *command) *command {
	if built == nil {
		built = &command{}
	}
	c := *built
	c.name = r.Command
	if need, ok := needsByName[r.Needs]; ok {
		c.needs = need
	}
	form := func(list Answers, otherwise handler) handler {
		if list == nil {
			return otherwise
		}
		return func(x *exchange) result {
			one, ok := x.answer(r.Command, list, "")
			if !ok && otherwise != nil {
				return otherwise(x)
			}
			return one
		}
	}
	c.exec, c.read, c.test = form(r.Exec, built.exec), form(r.Read, built.read), form(r.Test, built.test)
	if r.Set != nil {
		c.raw = func(x *exchange, text string) result {
			one, ok := x.answer(r.Command, r.Set, text)
			if !ok {
				return built.parameters(x, text)
			}
			return one
		}
	}
	return &c
}

// parameters carries out the set form.
func (c *command) parameters(x *exchange, text string) result {
	if c.raw != nil {
		return c.raw(x, text)
	}
	if c.set == nil {
		return resultError
	}
	a, err := splitArgs(text)
	if err != nil {
		return resultError
	}
	return c.set(x, a)
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
	out   []byte    // echo and information text so far
	lines []string  // of the command under way
	outer *exchange // it is carried out for an answer of this one, and what it says is not shown
	depth int       // of answers that run commands
}

// line carries out the commands of a line; the first that fails ends it.
func (x *exchange) line(body string) result {
	s := scanner{rest: body}
	r := resultOK
	for {
		inv, more, err := s.next()
		if err != nil {
			x.p.log.Debug("command line refused", "error", err)
			refused := resultError
			refused.after = r.after
			return refused
		}
		if !more {
			return r
		}
		x.lines = nil
		one := x.command(inv)
		x.flushInfo()
		if first, next := r.after, one.after; first != nil && next != nil {
			r.after = func() { first(); next() }
		} else if next != nil {
			r.after = next
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
		return x.m.personality.unknown
	}
	if inv.form != formTest && c.needs != needNothing {
		if r, ok := x.card(c.needs); !ok {
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
	case inv.form == formSet:
		return c.parameters(x, inv.text)
	}
	if h == nil {
		return resultError
	}
	return h(x)
}

// card refuses a command that needs more of the card than there is.
func (x *exchange) card(needs need) (result, bool) {
	x.m.mu.Lock()
	defer x.m.mu.Unlock()
	sim := &x.m.sim
	off := x.m.functions == 0 // and so is the card
	r, ready := sim.check()
	switch {
	case sim.inserted && !off && len(sim.busy) > 0:
		busy, up := sim.refuseBusy()
		if up {
			looked := x.m.looked
			busy.after = func() { x.m.simRead(looked) }
		}
		return busy, false
	case sim.inserted && !off && sim.unread:
		return cmeError(cmeSIMBusy), false
	case needs == needIdle:
		return resultOK, true
	case !ready && (needs == needSIM || !sim.inserted):
		return r, false
	case off:
		return cmeError(cmeSIMFailure), false
	}
	return resultOK, true
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

// flush sends what there is to say so far, for a command that takes time: the echo is not to wait for its end (V.250 section 5.2.3).
func (x *exchange) flush() {
	for x.outer != nil {
		x = x.outer
	}
	x.p.out.send(x.out)
	x.out = nil
}

// wait lets a delay of the personality pass. What there is to say so far goes out first.
func (x *exchange) wait(d Fact[time.Duration]) {
	if x.m.scaled(d.Value) <= 0 {
		return
	}
	x.flush()
	x.m.sleep(x.ctx, d.Value)
}
