package dce

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Answers are the ways in which one form of a command is answered: the first that applies is taken, and with none the form is left to
// a built-in command of that name. In a file they are a list of Answer, or for short the lines of a single one that always applies.
type Answers []Answer

// Answer is one way to answer.
type Answer struct {
	Match      string   `yaml:"match"`      // regular expression for all that follows =; named groups are values of the texts; "": anything
	When       string   `yaml:"when"`       // a condition; "": always
	First      bool     `yaml:"first"`      // applies once after each boot
	Run        string   `yaml:"run"`        // a command line without AT to be carried out first; what it says is not shown, its failure is the result
	Connect    string   `yaml:"connect"`    // the number of a context that the modem's own interface uses from now on; what the network has against it is the result
	Disconnect string   `yaml:"disconnect"` // or uses no more
	Lines      []string `yaml:"lines"`      // information text
	Result     string   `yaml:"result"`     // "": OK; ERROR, NO CARRIER and the like; a number is a +CME ERROR
	Then       []string `yaml:"then"`       // unsolicited results after the final one
	Do         string   `yaml:"do"`         // afterwards: reset, power-off, or end-calls, by PPP's Terminate-Request

	match      *regexp.Regexp
	when       condition
	run        template
	connect    template
	disconnect template
	lines      []template
	result     result
	then       []template
}

// UnmarshalYAML takes both ways to write answers.
func (a *Answers) UnmarshalYAML(decode func(any) error) error {
	var lines []string
	if decode(&lines) == nil {
		*a = Answers{{Lines: lines}}
		return nil
	}
	var full []Answer
	if err := decode(&full); err != nil {
		return err
	}
	*a = full
	return nil
}

// dos are the words of Do. They say the unsolicited results, and then do it.
var dos = map[string]func(ctx context.Context, m *Modem, then []string){
	"":          func(_ context.Context, m *Modem, then []string) { m.announceAll(then) },
	"reset":     func(_ context.Context, m *Modem, then []string) { m.announceAll(then); m.Reset() },
	"end-calls": func(_ context.Context, m *Modem, then []string) { m.announceAll(then); m.TerminatePPP() },
	"power-off": func(ctx context.Context, m *Modem, then []string) { m.powerOff(ctx, then) },
}

func (m *Modem) announceAll(texts []string) {
	for _, text := range texts {
		m.unsolicited(text)
	}
}

// prepare takes the texts apart; where says whose they are.
func (a Answers) prepare(where string) error {
	for i := range a {
		if err := a[i].prepare(); err != nil {
			return fmt.Errorf("%s: %w", where, err)
		}
	}
	return nil
}

func (a *Answer) prepare() (err error) {
	if a.match, err = regexp.Compile("^(?:" + a.Match + ")$"); err != nil {
		return fmt.Errorf("match: %w", err)
	}
	if a.Match == "" {
		a.match = nil
	}
	if a.when, err = parseCondition(a.When); err != nil {
		return err
	}
	known := func(name string) bool {
		return knownVar(name) || a.match != nil && slices.Contains(a.match.SubexpNames(), name)
	}
	if a.run, err = parseTemplate(a.Run, known); err != nil {
		return fmt.Errorf("run: %w", err)
	}
	if a.connect, err = parseTemplate(a.Connect, known); err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	if a.disconnect, err = parseTemplate(a.Disconnect, known); err != nil {
		return fmt.Errorf("disconnect: %w", err)
	}
	for _, cid := range []string{a.Connect, a.Disconnect} {
		if n, err := strconv.Atoi(cid); cid != "" && !strings.Contains(cid, "{") && (err != nil || n < 1) {
			return fmt.Errorf("connect or disconnect %q: the number of a context is needed", cid)
		}
	}
	if a.Connect != "" && a.Disconnect != "" {
		return errors.New("connect and disconnect exclude each other")
	}
	if a.lines, err = parseTemplates(a.Lines, known); err != nil {
		return fmt.Errorf("lines: %w", err)
	}
	if a.then, err = parseTemplates(a.Then, known); err != nil {
		return fmt.Errorf("then: %w", err)
	}
	if a.result, err = namedResult(a.Result); err != nil {
		return err
	}
	if _, known := dos[a.Do]; !known {
		return fmt.Errorf("do %q: reset, power-off and end-calls are allowed", a.Do)
	}
	return nil
}

func parseTemplates(texts []string, known func(string) bool) ([]template, error) {
	list := make([]template, len(texts))
	for i, text := range texts {
		t, err := parseTemplate(text, known)
		if err != nil {
			return nil, err
		}
		list[i] = t
	}
	return list, nil
}

// namedResult is a result as a personality writes it.
func namedResult(text string) (result, error) {
	if n, err := strconv.Atoi(text); err == nil {
		if cmeText[n] == "" {
			return result{}, fmt.Errorf("result %q: no number of +CME ERROR in TS 27.007 section 9.2", text)
		}
		return cmeError(n), nil
	}
	for _, r := range results {
		if r.verbose == text {
			return r, nil
		}
	}
	switch text {
	case "":
		return resultOK, nil
	case "COMMAND NOT SUPPORT", "TOO MANY PARAMETERS", "NOT SUPPORTED": // makers' own words for ERROR
		return result{code: resultError.code, verbose: text}, nil
	case "NORMAL POWER DOWN": // SIMCom's for OK
		return extended(text), nil
	}
	return result{}, fmt.Errorf("result %q: not known", text)
}

// maxDepth bounds answers that run commands that run commands.
const maxDepth = 3

// answer carries out the first answer that applies; it is false when none does.
func (x *exchange) answer(command string, list Answers, text string) (result, bool) {
	x.m.mu.Lock()
	var a *Answer
	locals := map[string]any{}
	for i := range list {
		if list[i].applies(x.m, command, i, text, locals) {
			a = &list[i]
			break
		}
	}
	if a == nil {
		x.m.mu.Unlock()
		return resultError, false
	}
	p := place{m: x.m, port: x.p.name, locals: locals}
	run, connect, disconnect := a.run.fill(p.value), a.connect.fill(p.value), a.disconnect.fill(p.value)
	x.m.mu.Unlock()
	var after func()
	if run != "" {
		if x.depth == maxDepth {
			return resultError, true
		}
		inner := &exchange{ctx: x.ctx, p: x.p, m: x.m, outer: x, depth: x.depth + 1}
		r := inner.line(run)
		if !r.ok() {
			return r, true
		}
		after = r.after
	}
	r := resultOK
	switch {
	case a.Connect != "":
		r = x.connect(connect)
	case a.Disconnect != "":
		r = x.disconnect(disconnect)
	}
	if !r.ok() {
		return r, true
	}
	x.m.mu.Lock()
	defer x.m.mu.Unlock()
	for _, l := range a.lines {
		x.info(l.fill(p.value))
	}
	var then []string
	for _, t := range a.then {
		then = append(then, t.fill(p.value))
	}
	r = a.result
	r.after = after
	if then != nil || a.Do != "" {
		ctx, m, do := x.ctx, x.m, dos[a.Do]
		r.after = func() {
			if after != nil {
				after()
			}
			do(ctx, m, then)
		}
	}
	return r, true
}

// applies also gives the values of the named groups.
func (a *Answer) applies(m *Modem, command string, i int, text string, locals map[string]any) bool {
	if !a.when.holds(m) {
		return false
	}
	if a.match != nil {
		groups := a.match.FindStringSubmatch(text)
		if groups == nil {
			return false
		}
		for n, name := range a.match.SubexpNames() {
			if name != "" {
				locals[name] = groups[n]
			}
		}
	}
	if a.First {
		key := command + strconv.Itoa(i)
		if m.told[key] {
			return false
		}
		m.told[key] = true
	}
	return true
}
